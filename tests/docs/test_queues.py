"""Tests that share a server run one after the other on one worker, and long ones first."""

from pathlib import Path

import pytest

from tests.queues import CALLS, LONG, LONG_CALLS, rank_of, unit_of

ROOT = Path(__file__).parents[2]


def test_every_order_is_of_files_that_there_are() -> None:
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py")}
    for beginning in (*CALLS, *LONG_CALLS, *LONG):
        assert [file for file in files if file.startswith(beginning)], beginning


@pytest.mark.parametrize(
    ("nodeid", "unit"),
    [
        ("tests/system/test_transfer.py::test_they_talk", "tests/system/test_transfer.py"),
        ("tests/system/test_notices.py::test_one@office", "tests/system/test_notices.py"),
        ("tests/web/test_words.py::test_one[a::b]", "tests/web/test_words.py"),
        ("tests/faults/test_mass_reset.py::test_one", "tests/faults/test_mass_reset.py::test_one"),
    ],
)
def test_a_test_is_with_those_that_need_the_same(nodeid: str, unit: str) -> None:
    assert unit_of(nodeid) == unit


def test_what_lasts_long_is_begun_early() -> None:
    calls = [
        "tests/system/test_remote_inquiry.py",
        "tests/faults/test_two",
        "tests/system/test_x.py",
    ]
    others = ["tests/faults/test_x.py", "tests/web/test_x.py", "tests/domain/test_x.py"]
    for these in (calls, others):
        ranks = [rank_of(unit) for unit in these]
        assert ranks == sorted(set(ranks))


def test_the_workers_keep_to_it(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeconftest('pytest_plugins = ["tests.queues"]')
    test = """
        import os, pathlib, pytest

        @pytest.mark.parametrize("number", range(4))
        def test_one(number):
            who = f"{pathlib.Path(__file__).name} {os.environ['PYTEST_XDIST_WORKER']}"
            with open(pathlib.Path(__file__).parents[2] / "workers", "a") as file:
                file.write(f"{who}\\n")
    """
    for name in ("system/test_transfer", "system/test_transcripts", "web/test_words", "web/test_b"):
        (pytester.path / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        pytester.makepyfile(**{f"tests/{name}": test})
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-n3", "--dist=loadgroup")
    result.assert_outcomes(passed=16)
    pairs = set((pytester.path / "workers").read_text().splitlines())
    workers = dict(pair.split() for pair in pairs)
    assert len(pairs) == len(workers) == 4, "each file on one worker"
    assert len(set(workers.values())) > 1
