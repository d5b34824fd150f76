"""Voicemail and remote inquiry for Asterisk, driven over ARI."""
