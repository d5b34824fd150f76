"""Use cases, shared by telephone, portal and command line."""
