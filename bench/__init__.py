"""Measured figures, each beside its peer in the same run."""
