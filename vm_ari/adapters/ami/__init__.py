"""Asterisk's manager interface, by pyst2: only where ARI and SIP offer no way."""

from vm_ari.adapters.ami.client import AmiClient, AmiError, AmiUnavailable, ManagerAccount

__all__ = ["AmiClient", "AmiError", "AmiUnavailable", "ManagerAccount"]
