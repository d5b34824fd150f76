"""A whole small telephone system on loopback, to see, to try and to test."""
