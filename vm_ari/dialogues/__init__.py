"""Telephone menus as scripts; one file is one chapter of the user guide."""
