"""Shared fixtures and plugins; which tests may be run again."""

import gc
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

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

settings.register_profile(
    "busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy machine")
"""Properties hold however slow the machine is."""

AGAIN = {
    "tests/adapters/": 1,
    "tests/cli/": 1,
    "tests/faults/": 3,
    "tests/system/": 3,
    "tests/web/": 1,
}
"""How often tests of these folders are run again. They use real servers and the real clock, and a
machine that others use too may stand still in any of them, or audio drop out. All other tests are
on the virtual clock, and have one chance. The summary names every test that needed more."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them."""
    for item in items:
        for folder, times in AGAIN.items():
            if item.nodeid.startswith(folder):
                item.add_marker(pytest.mark.flaky(reruns=times))


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
