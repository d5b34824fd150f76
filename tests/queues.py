"""Which tests run side by side, and which of them first.

All tests of one file stay together, so that its servers are started once, and not by every worker.
Files with real calls are little work, but audio is real time: some workers take only these, one
after the other, and the others compute meanwhile.

(The mark `xdist_group` does nothing with pytest 9.2 and pytest-xdist 3.8: tests were dealt out one
by one. So we say it ourselves.)
"""

import os

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

CALLS = (
    "tests/adapters/test_ari",
    "tests/adapters/test_channel",
    "tests/adapters/test_softphone",
    "tests/faults/test_asterisk",
    "tests/faults/test_clocks",
    "tests/faults/test_controller",
    "tests/faults/test_directory",
    "tests/faults/test_disks",
    "tests/faults/test_fallback",
    "tests/faults/test_hang",
    "tests/faults/test_hung",
    "tests/faults/test_pin",
    "tests/faults/test_proxy_calls",
    "tests/faults/test_two",
    "tests/system/",
    "tests/torture/test_torture",
)
"""The beginnings of the names of files with real calls."""

CALLS_AT_ONCE = 4
"""Files with calls at the same time, on two processors; two workers compute meanwhile."""

LONG_CALLS = (
    "tests/system/test_remote_inquiry.py",
    "tests/faults/test_proxy_calls",
    "tests/system/test_leave_message.py",
    "tests/system/test_record_greeting.py",
    "tests/system/test_transfer",
    "tests/system/test_imap_calls.py",
    "tests/system/test_nodes.py",
    "tests/system/test_spoofed_callers.py",
    "tests/system/test_calling_back.py",
    "tests/faults/test_fallback.py",
    "tests/system/test_profile_menus.py",
    "tests/system/test_redirection.py",
    "tests/system/test_answering.py",
    "tests/system/test_fax",
    "tests/system/test_sending.py",
    "tests/system/test_conferences.py",
    "tests/system/test_welcome_mail.py",
    "tests/system/test_reading_aloud.py",
    "tests/system/test_message_mail.py",
    "tests/system/test_asterisk_conf.py",
    "tests/system/test_pin_by_phone.py",
    "tests/torture/",
    "tests/faults/",
    "tests/system/",
)
"""Of the files with calls, these first: at the end only short ones are left."""

LONG = (
    "tests/faults/test_kill_at_every_syscall.py",
    "tests/faults/test_mass_reset.py",
    "tests/faults/",
    "tests/adapters/test_imap_faults.py",
    "tests/web/test_real_browser.py",
    "tests/web/test_user_pages_in_browser.py",
    "tests/web/",
    "tests/adapters/",
)
"""Of the others, these first: at the end only short ones are left."""

DEALT_OUT = LONG[:2]
"""Files whose tests need nothing in common: each by itself."""

IN_REAL_TIME = {"asterisk", "new_asterisk", "world", "new_world"}
"""Fixtures of tests with real calls: audio that is late is lost, so these tests go first."""

LATER = 10
"""By how much all other tests are nicer; only root can take that back."""

_OWN_PRIORITY = os.getpriority(os.PRIO_PROCESS, 0)


def unit_of(nodeid: str) -> str:
    """The file that a test belongs to; or itself."""
    return nodeid if nodeid.startswith(DEALT_OUT) else nodeid.partition("::")[0]


def rank_of(unit: str) -> int:
    """Smaller ones are begun earlier."""
    first = LONG_CALLS if unit.startswith(CALLS) else LONG
    return next((place for place, file in enumerate(first) if unit.startswith(file)), len(first))


class Queues(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """So many workers with calls, the others without, as long as there are both."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        for_calls = max(1, min(CALLS_AT_ONCE, len(self.nodes) - 2))
        calls_next = self._workers_with_calls(node) < for_calls
        unit = min(
            self.workqueue, key=lambda one: (one.startswith(CALLS) != calls_next, rank_of(one))
        )
        self.workqueue.move_to_end(unit, last=False)
        super()._assign_work_unit(node)

    def _workers_with_calls(self, but: WorkerController) -> int:
        return sum(
            any(unit.startswith(CALLS) and not all(done.values()) for unit, done in work.items())
            for worker, work in self.assigned_work.items()
            if worker is not but
        )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Queues | None:
    """Instead of that of ``--dist loadgroup``."""
    return Queues(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Calls before computations, also for the programs that a test starts."""
    if os.geteuid() == 0 and "PYTEST_XDIST_WORKER" in os.environ:
        fixtures = set(getattr(item, "fixturenames", ()))
        real = item.nodeid.startswith("tests/system/") or fixtures & IN_REAL_TIME
        os.setpriority(os.PRIO_PROCESS, 0, _OWN_PRIORITY + (0 if real else LATER))
