"""Mails that were made to break who reads them; large ones are made when they are needed."""
