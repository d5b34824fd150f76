"""Shared fixtures and plugins; which tests run beside each other."""

import gc
from collections.abc import Iterator

import pytest

from tests.system.conftest import asterisk, asterisk_install, new_asterisk

pytest_plugins = [
    "pytester",
    "tests.feature_table",
    "tests.secret_watch",
    "tests.system.worlds",
]

__all__ = ["asterisk", "asterisk_install", "new_asterisk"]

CALLS = {
    "answered calls": ("tests/system/test_a", "tests/system/test_d", "tests/system/test_g"),
    "transferred calls": ("tests/system/test_t", "tests/system/test_w"),
    "mailbox calls": ("tests/system/test_i", "tests/system/test_l", "tests/system/test_m"),
    "owners' calls": ("tests/system/test_p", "tests/system/test_rec", "tests/system/test_red"),
    "other calls": ("tests/system/",),
    "guesses": ("tests/faults/test_pin",),
    "lines": (
        "tests/faults/test_asterisk",
        "tests/faults/test_controller",
        "tests/faults/test_directory",
        "tests/faults/test_fallback",
        "tests/faults/test_hang",
        "tests/faults/test_hung",
        "tests/adapters/test_ari",
        "tests/adapters/test_channel",
        "tests/adapters/test_softphone",
    ),
}
"""Tests with real calls, in queues beside all others: audio is real time, and little work."""

LISTENING = ("tests/system/", "tests/faults/")
"""Tests that recognise what was heard. On a machine that others use too, audio can drop out: such
a test is run again, twice at most, and the summary line says so."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group and mark."""
    for item in items:
        queues = (queue for queue, files in CALLS.items() if item.nodeid.startswith(files))
        if queue := next(queues, None):
            item.add_marker(pytest.mark.xdist_group(queue))
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
