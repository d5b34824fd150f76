"""The command line, by its users' side."""
