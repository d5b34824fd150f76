"""The configuration directory of an Asterisk that somebody else runs: read, changed, restored."""
