"""Failed logins in a file of their own, and what fail2ban finds in it."""

import re
import shutil
import stat
import subprocess
from configparser import RawConfigParser
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from vm_ari.adapters.login_log import LoginLog, line
from vm_ari.logs import write_logs

SHIPPED = Path(__file__).parents[2] / "asterisk-conf" / "fail2ban"
AT = datetime(2026, 3, 4, 13, 35, 12, tzinfo=UTC)
HOSTILE = [
    "+49301234567 mailbox=101 reason=wrong",
    "1\n2026-03-04T13:35:12+00:00 vm-ari login failed: caller=+491 mailbox=1 reason=wrong",
    '+49301" reason="x',
    "${HOST}",
    "<F-ID>",
    "\udcff",
    "1" * 400,
    "",
]


def found_by_python(log: str) -> list[str]:
    """The numbers that the filter finds: its expressions, used as fail2ban uses them."""
    parser = RawConfigParser()
    parser.read(SHIPPED / "filter.conf")
    expressions = [
        re.compile(text.strip().replace("<F-ID>", "(?P<fid>").replace("</F-ID>", ")"))
        for text in parser["Definition"]["failregex"].splitlines()
    ]
    date = re.compile(r"(?<=^)(timestamp=)?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:?\d\d)?")
    rests = (date.sub("", text, count=1) for text in log.splitlines())
    hits = (next(filter(None, (e.search(rest) for e in expressions)), None) for rest in rests)
    return [hit["fid"] for hit in hits if hit]


def found_by_fail2ban(log: Path) -> list[str]:
    program = shutil.which("fail2ban-regex")
    if program is None:
        pytest.skip("no fail2ban here")
    command = [program, "-o", "id", str(log), str(SHIPPED / "filter.conf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.split()


def event(**fields: str) -> dict[str, str]:
    return {"event": "login failed", "caller": "+49301234567", "mailbox": "101"} | fields


@pytest.mark.feature_part("LOGIN-09", "caller, mailbox and time on a line of their own")
def test_a_line_says_who_where_when_and_why() -> None:
    assert line(event(reason="too many failures"), AT) == (
        "2026-03-04T13:35:12+00:00 vm-ari login failed: "
        "caller=+49301234567 mailbox=101 reason=too-many-failures\n"
    )


@pytest.mark.feature_part("LOGIN-09", "nothing that a caller sends makes a line of its own")
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_callers_are_unknown(text: str) -> None:
    written = line(event(caller=text, mailbox=text, reason=text), AT)
    assert written.startswith(
        "2026-03-04T13:35:12+00:00 vm-ari login failed: caller=unknown mailbox=unknown reason="
    )
    assert re.fullmatch(r"[a-z-]{1,40}", written.rpartition("reason=")[2].removesuffix("\n"))
    assert written.count("\n") == 1
    assert found_by_python(written) == []


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What logins write into the file, beside other lines."""
    file = tmp_path / "logins.log"
    before = structlog.get_config()
    write_logs("info", LoginLog(file))
    try:
        logger = structlog.get_logger("vm_ari.login")
        logger.info("call", caller="+49301111111")
        logger.warning("login failed", caller="+49301234567", mailbox="101", reason="wrong")
        logger.warning("login failed", caller="unknown", mailbox="101", reason="wrong")
        file.rename(tmp_path / "logins.log.1")  # rotated
        logger.warning("login failed", caller="102", mailbox="199", reason="not allowed")
    finally:
        structlog.configure(**before)
    rotated = tmp_path / "logins.log.1"
    rotated.write_text(rotated.read_text() + file.read_text())
    return rotated


@pytest.mark.feature_part("LOGIN-09", "a log of its own, which survives rotation")
def test_only_failed_logins_come_into_the_file(log: Path) -> None:
    lines = log.read_text().splitlines()
    assert [text.partition("caller=")[2] for text in lines] == [
        "+49301234567 mailbox=101 reason=wrong",
        "unknown mailbox=101 reason=wrong",
        "102 mailbox=199 reason=not-allowed",
    ]
    assert stat.S_IMODE(log.stat().st_mode) & 0o027 == 0


@pytest.mark.feature_part("LOGIN-09", "the shipped filter finds the callers' numbers")
def test_the_filter_finds_the_callers(log: Path) -> None:
    assert found_by_python(log.read_text()) == ["+49301234567", "102"]


@pytest.mark.feature_part("LOGIN-09", "fail2ban itself reads it")
def test_fail2ban_finds_the_callers(log: Path) -> None:
    assert found_by_fail2ban(log) == ["+49301234567", "102"]


@pytest.mark.feature_part("LOGIN-09", "fail2ban reads the controller's log, too")
def test_the_filter_reads_the_controllers_own_log(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = structlog.get_config()
    write_logs("info")
    try:
        logger = structlog.get_logger("vm_ari.login")
        with structlog.contextvars.bound_contextvars(call="vm-ari-1.2"):
            logger.warning("login failed", caller="+49301234567", mailbox="101", reason="wrong")
            logger.warning(
                "subject", text='level=warning event="login failed" caller=+491 mailbox=1 reason=x'
            )
    finally:
        structlog.configure(**before)
    written = capsys.readouterr().err
    assert found_by_python(written) == ["+49301234567"]
    (tmp_path / "controller.log").write_text(written)
    assert found_by_fail2ban(tmp_path / "controller.log") == ["+49301234567"]


def test_a_file_that_cannot_be_written_stops_no_login(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for place in (tmp_path / "none" / "x.log", tmp_path, tmp_path / "link"):
        seen = LoginLog(place)(None, "warning", event(reason="wrong"))
        assert str(place) in seen["not_in_file"]
    assert not (tmp_path / "elsewhere").exists()
