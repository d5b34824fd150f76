"""Which tests run one after the other on one worker, and which of them first.

Tests with real calls stand in queues: audio is real time, and little work. Some workers serve these
queues, and the others compute meanwhile. All other tests of one file stay together, so that its
servers are started once, and not by every worker.

(The mark `xdist_group` does nothing with pytest 9.2 and pytest-xdist 3.8: tests were dealt out one
by one. So we say it ourselves.)
"""

import os

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

QUEUES = {
    "owners' calls": ("tests/system/test_p", "tests/system/test_rec"),
    "lines that break": (
        "tests/faults/test_asterisk",
        "tests/faults/test_controller",
        "tests/faults/test_directory",
        "tests/faults/test_fallback",
        "tests/faults/test_hang",
        "tests/faults/test_hung",
    ),
    "two nodes": ("tests/system/test_nodes",),
    "faxes": ("tests/system/test_fax",),
    "mailbox calls": ("tests/system/test_i", "tests/system/test_m"),
    "transferred calls": ("tests/system/test_t",),
    "messages that are left": ("tests/system/test_l",),
    "remote inquiry": ("tests/system/test_rea", "tests/system/test_rem"),
    "redirected calls": (
        "tests/system/test_red",
        "tests/system/test_sp",
        "tests/system/test_w",
    ),
    "answered calls": ("tests/system/test_a",),
    "dialplans and greetings": ("tests/system/test_d", "tests/system/test_g"),
    "other calls": ("tests/system/",),
    "bad disks, clocks and networks": (
        "tests/faults/test_clocks",
        "tests/faults/test_disks",
        "tests/faults/test_proxy_calls",
        "tests/faults/test_two",
    ),
    "guesses": ("tests/faults/test_pin",),
    "torment": ("tests/torture/test_torture",),
    "lines": (
        "tests/adapters/test_ari",
        "tests/adapters/test_channel",
        "tests/adapters/test_softphone",
    ),
}
"""By the beginnings of their names; a file belongs to the first that fits. The longest first."""

CALLS_AT_ONCE = 4
"""Queues that are served at the same time, on two processors; two workers compute meanwhile."""

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
    """The queue that a test belongs to, else its file; or itself."""
    if queue := next((name for name, files in QUEUES.items() if nodeid.startswith(files)), ""):
        return queue
    return nodeid if nodeid.startswith(DEALT_OUT) else nodeid.partition("::")[0]


def rank_of(unit: str) -> int:
    """Smaller ones are begun earlier."""
    if unit in QUEUES:
        return list(QUEUES).index(unit)
    return next((place for place, file in enumerate(LONG) if unit.startswith(file)), len(LONG))


class Queues(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """So many workers with calls, the others without, as long as there are both."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        for_calls = max(1, min(CALLS_AT_ONCE, len(self.nodes) - 2))
        calls_next = self._workers_with_calls(node) < for_calls
        unit = min(self.workqueue, key=lambda one: ((one in QUEUES) != calls_next, rank_of(one)))
        self.workqueue.move_to_end(unit, last=False)
        super()._assign_work_unit(node)

    def _workers_with_calls(self, but: WorkerController) -> int:
        return sum(
            any(unit in QUEUES and not all(done.values()) for unit, done in work.items())
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
