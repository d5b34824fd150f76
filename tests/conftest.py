"""Shared fixtures and plugins; which tests are run again."""

import gc
from collections.abc import Iterator

import pytest

from tests.system.conftest import asterisk, asterisk_install, new_asterisk

pytest_plugins = [
    "pytester",
    "tests.adapters.postgres",
    "tests.feature_table",
    "tests.queues",
    "tests.secret_watch",
    "tests.system.worlds",
]

__all__ = ["asterisk", "asterisk_install", "new_asterisk"]

LISTENING = ("tests/system/", "tests/faults/")
"""Tests that recognise what was heard. On a machine that others use too, audio can drop out: such
a test is run again, twice at most, and the summary line says so."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them."""
    for item in items:
        if item.nodeid.startswith(LISTENING):
            item.add_marker(pytest.mark.flaky(reruns=2, only_rerun=["Error", "NotHeard"]))


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """No garbage is collected while a failure is described.

    What a test has left open warns then, and describes that, too: Python 3.11 cannot parse one
    source in the middle of another (CPython issue 106905), and the whole run would end.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
