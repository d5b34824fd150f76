"""Shared fixtures and plugins."""

from tests.system.conftest import asterisk, asterisk_install, new_asterisk

pytest_plugins = ["tests.feature_table", "tests.system.worlds"]

__all__ = ["asterisk", "asterisk_install", "new_asterisk"]
