"""Find, configure and run an Asterisk: for the demo, the tests and the benchmarks."""
