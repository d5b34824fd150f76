"""One file that holds an installation, made while it runs, and brought back where nothing is."""
