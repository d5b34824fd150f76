"""Which features are proven: `docs/features.md` is made from the tests that ran.

``@pytest.mark.feature("CALL-02")`` on a test says: together with the others that name it, this
proves the whole feature, on real parts. ``@pytest.mark.feature_part("CALL-02", "what")`` says that
something is still missing.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "docs" / "features.md"
IDS = (ROOT / "tests" / "feature_ids.txt").read_text().split()
REAL_PARTS = ("tests/system/", "tests/faults/", "tests/adapters/", "tests/cli/", "tests/web/")
HEAD = """# Features and the tests that prove them

Made by `make features`; `make test` fails when it is stale. *works*: every named test ran and
passed, on real parts, and together they prove the whole feature. *missing*: not all of it is there.

| ID | tests | state |
| --- | --- | --- |
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    """--features write|check: after a run of all tests, the table is written or compared."""
    parser.addoption("--features", choices=("write", "check"), help="docs/features.md")


def pytest_configure(config: pytest.Config) -> None:
    """Collect only in the process that sees all reports, not in the workers of xdist."""
    if config.getoption("--features") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Collector(config.getoption("--features")), "features")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the marks travel with the reports, also from other processes."""
    for item in items:
        name = item.nodeid.split("[")[0].split("@")[0]
        for mark in item.iter_markers("feature"):
            for feature in mark.args:
                _check(feature, name, whole=True)
                item.user_properties.append(("feature", [feature, name, True]))
        for mark in item.iter_markers("feature_part"):
            feature, _what = mark.args
            _check(feature, name, whole=False)
            item.user_properties.append(("feature", [feature, name, False]))


def _present() -> str:
    return TABLE.read_text(encoding="utf-8") if TABLE.exists() else ""


def _check(feature: str, test: str, *, whole: bool) -> None:
    if feature not in IDS:
        raise pytest.UsageError(f"{test}: there is no feature {feature}")
    if whole and not test.startswith(REAL_PARTS):
        raise pytest.UsageError(f"{test}: {feature} can only be proven on real parts")


class _Collector:
    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._tests: dict[str, set[str]] = defaultdict(set)
        self._whole: set[str] = set()
        self._not_passed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of one test is over; one that is run again is not judged yet."""
        if str(report.outcome) == "rerun":
            return
        for kind, value in report.user_properties:
            if kind != "feature" or not isinstance(value, Iterable):
                continue
            feature, test, whole = (str(part) for part in value)
            if not test.startswith(REAL_PARTS):
                continue
            self._tests[feature].add(test)
            if whole == "True":
                self._whole.add(feature)
            if not report.passed:
                self._not_passed.add(feature)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write or compare."""
        text = HEAD + "".join(self._row(feature) for feature in IDS)
        if self._mode == "write":
            TABLE.write_text(text, encoding="utf-8")
        elif session.exitstatus == pytest.ExitCode.OK and text != _present():
            print("\ndocs/features.md is stale: run `make features` and look at the difference")
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _row(self, feature: str) -> str:
        tests = sorted(self._tests[feature])
        works = feature in self._whole and feature not in self._not_passed
        names = "<br>".join(test.removeprefix("tests/") for test in tests) or "—"
        return f"| {feature} | {names} | {'works' if works else 'missing'} |\n"
