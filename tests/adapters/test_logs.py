"""Our own log: written to a file or systemd's journal, moved away by logrotate, and read back."""

import asyncio
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from tests.patience import AT_MOST
from vm_ari.adapters.log_files import FileLogs
from vm_ari.adapters.log_journal import JournalLogs
from vm_ari.domain.log_lines import LogKind, LogPage, LogQuery, parse
from vm_ari.logs import FollowedLevel, is_journal, wish_level, wished_level, write_logs
from vm_ari.ports import Logs, LogsUnavailable

ROOT = Path(__file__).parents[2]
ROTATION = ROOT / "asterisk-conf" / "logrotate" / "vm-ari.conf"
JOURNALD = Path("/lib/systemd/systemd-journald")
ALL = LogQuery()
EVIL = 'x" level=error event="forged\nlevel=error event=forged \x1b[2J\u2028\r<script>'


@contextmanager
def writing(file: Path | None, level: str = "info") -> Iterator[structlog.stdlib.BoundLogger]:
    before = structlog.get_config()
    write_logs(level, file=file)
    try:
        yield structlog.get_logger("vm_ari.calls")
    finally:
        structlog.configure(**before)


def newest(logs: Logs, query: LogQuery = ALL, after: str = "", limit: int = 200) -> LogPage:
    return asyncio.run(logs.newest(query, after=after, limit=limit))


def events(page: LogPage) -> list[str]:
    return [line.event for line in page.lines]


def test_what_was_written_is_read_back_whatever_it_holds(tmp_path: Path) -> None:
    file = tmp_path / "vm-ari.log"
    facts = {"user": 'o\'neil "x"', "path": "C:\\new", "none": None, "text": EVIL, "ok": True}
    with writing(file) as log, structlog.contextvars.bound_contextvars(call="pbx-1.2"):
        log.info("a greeting", **facts)
        log.debug("not from this level on")
    assert file.read_bytes().count(b"\n") == 1
    assert b"\x1b" not in file.read_bytes()
    assert file.stat().st_mode & 0o027 == 0
    [line] = newest(FileLogs(file)).lines
    assert (line.event, line.level, line.area, line.kind) == (
        "a greeting",
        "info",
        "calls",
        LogKind.CALLS,
    )
    assert line.at
    assert abs(datetime.now(UTC) - line.at) < timedelta(minutes=5)
    assert line.fact("call") == "pbx-1.2"
    assert (line.user_id, line.fact("path"), line.fact("none")) == ('o\'neil "x"', "C:\\new", "")
    assert line.fact("text") == EVIL.replace("\x1b", "�").replace("\u2028", "�").replace("\r", "�")


def test_lines_are_filtered(tmp_path: Path) -> None:
    file = tmp_path / "vm-ari.log"
    with writing(file) as log:
        log.info("call", call="c1", mailbox="101")
        log.info("call", call="c10", user="anna")
        for area, event in (("login", "login failed"), ("notices", "notice"), ("ldap", "slow")):
            structlog.get_logger(f"vm_ari.{area}").warning(event, user="anna", reason="c1")
        structlog.get_logger("vm_ari.portal").error("portal sign-in failed", address="::1")
    file.write_bytes(file.read_bytes() + b"\xff not ours \x00 level= event\n\n")
    for query, found in (
        (ALL, 7),
        (LogQuery(LogKind.CALLS), 2),
        (LogQuery(LogKind.WRONG_PIN), 2),
        (LogQuery(LogKind.NOTICES), 1),
        (LogQuery(LogKind.SYSTEM), 2),
        (LogQuery(level="warning"), 4),
        (LogQuery(level="error"), 1),
        (LogQuery(user="anna"), 4),
        (LogQuery(call="c1"), 1),
        (LogQuery(text="SLOW"), 1),
        (LogQuery(text="not ours"), 1),
        (LogQuery(user='"'), 0),
    ):
        assert len(newest(FileLogs(file), query).lines) == found, query


def test_a_large_file_is_read_from_its_end_in_bounded_looks(tmp_path: Path) -> None:
    file = tmp_path / "vm-ari.log"
    row = "timestamp=2026-03-04T12:00:00Z level=info event=e{} area=calls pad={}\n"
    with file.open("w") as opened:
        opened.write("level=info event=needle area=calls\n" + "y" * 300_000 + "\n")
        opened.writelines(row.format(number, "x" * 400) for number in range(12_000))
        opened.write("level=info event=half")
    page = newest(FileLogs(file), limit=3)
    assert events(page) == ["half", "e11999", "e11998"]
    assert events(newest(FileLogs(file), after=page.older, limit=2)) == ["e11997", "e11996"]
    looks, found, after = 0, list[str](), ""
    while True:
        page = newest(FileLogs(file), LogQuery(text="needle"), after=after)
        found += events(page)
        looks += 1
        if not (after := page.older):
            break
    assert found == ["needle"]
    assert looks == 2
    assert len(events(newest(FileLogs(file), after="999:1"))) == 0, "a file that is gone"
    assert len(events(newest(FileLogs(file), after="nonsense", limit=5))) == 5


@pytest.mark.feature("OPS-02")
def test_logrotate_moves_the_file_away_and_nothing_is_lost(tmp_path: Path) -> None:
    if shutil.which("logrotate") is None:
        pytest.skip("logrotate is not installed: apt-get install logrotate")
    directory = tmp_path / "logs"
    directory.mkdir(mode=0o750)
    shipped = ROTATION.read_text()
    config = tmp_path / "logrotate.conf"
    config.write_text(shipped.replace("/var/log/vm-ari", str(directory)))
    config.chmod(0o644)
    rotate: list[str | Path] = ["logrotate", "--force", "--state", tmp_path / "state", config]
    file = directory / "vm-ari.log"
    with writing(file) as log:
        for number in range(6):
            log.info(f"e{number}")
            if number % 2:
                subprocess.run(rotate, check=True, capture_output=True)
        log.info("e6")
    assert sorted(one.name for one in directory.iterdir()) == [
        "vm-ari.log",
        "vm-ari.log.1",
        "vm-ari.log.2.gz",
        "vm-ari.log.3.gz",
    ]
    logs = FileLogs(file)
    assert events(newest(logs)) == ["e6", "e5", "e4"]
    page = newest(logs, limit=2)
    subprocess.run(rotate, check=True, capture_output=True)
    with writing(file) as log:
        log.info("e7")
    assert events(newest(logs, after=page.older)) == [], "moved on by two, that place is gone"
    assert events(newest(logs)) == ["e7", "e6"]


@contextmanager
def journald() -> Iterator[tuple[str, Path]]:
    """A journal of its own (a namespace): its name, and the socket of its streams."""
    if os.getuid() or not JOURNALD.exists() or shutil.which("journalctl") is None:
        pytest.skip("no systemd-journald that we may start")
    name = f"vm-ari-test-{os.getpid()}"
    sockets = Path(f"/run/systemd/journal.{name}")
    process = subprocess.Popen([JOURNALD, name], stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + AT_MOST
        while not (sockets / "stdout").exists():
            assert time.monotonic() < end, "journald does not start"
            if process.poll() is not None:
                pytest.skip("systemd-journald does not run here")
            time.sleep(0.02)
        yield name, sockets / "stdout"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        for left in (sockets, *Path("/var/log/journal").glob(f"*.{name}")):
            shutil.rmtree(left, ignore_errors=True)


WRITER = """
import sys, structlog
from vm_ari.logs import is_journal, write_logs
assert is_journal(sys.stderr)
write_logs("info")
for area, event in (("calls", "call"), ("login", "login failed"), ("portal", "page")):
    log = structlog.get_logger(f"vm_ari.{area}")
    log.info(event, user="anna", text=sys.argv[1])
log.error("broken")
"""


@pytest.mark.feature("OPS-02")
def test_the_journal_has_each_line_with_its_priority_and_is_read_back() -> None:
    with journald() as (name, address), socket.socket(socket.AF_UNIX) as stream:
        stream.connect(str(address))
        stream.sendall(b"vm-ari\nvm-ari.service\n6\n1\n0\n0\n0\n")  # as systemd begins a stream
        state = os.fstat(stream.fileno())
        told = {"JOURNAL_STREAM": f"{state.st_dev}:{state.st_ino}", "PYTHONPATH": str(ROOT)}
        subprocess.run(
            [sys.executable, "-c", WRITER, EVIL],
            stderr=stream.fileno(),
            env={**os.environ, **told},
            check=True,
        )
        logs = JournalLogs("vm-ari*", (f"--namespace={name}",))
        end = time.monotonic() + AT_MOST
        while len(newest(logs).lines) < 4:
            assert time.monotonic() < end, newest(logs)
            time.sleep(0.1)
        page = newest(logs)
        assert events(page) == ["broken", "page", "login failed", "call"]
        assert page.lines[3].fact("text").startswith('x" level=error')
        assert events(newest(logs, LogQuery(LogKind.WRONG_PIN))) == ["login failed"]
        assert events(newest(logs, LogQuery(level="error"))) == ["broken"]
        first = newest(logs, limit=1)
        assert events(newest(logs, after=first.older, limit=2)) == ["page", "login failed"]
        found = subprocess.run(
            ["journalctl", f"--namespace={name}", "-p", "err", "-o", "cat", "-u", "vm-ari"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "event=broken" in found.stdout
        assert "event=page" not in found.stdout
        with pytest.raises(LogsUnavailable, match="of unit other"):
            newest(JournalLogs("other*", (f"--namespace={name}",)))


def test_a_log_that_cannot_be_read_is_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LogsUnavailable, match=r"none\.log: No such file"):
        newest(FileLogs(tmp_path / "none.log"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LogsUnavailable, match="is no file"):
        newest(FileLogs(tmp_path / "pipe"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LogsUnavailable, match=r"logs\.file"):
        newest(JournalLogs("vm-ari*"))


def test_a_file_that_cannot_be_written_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing(tmp_path / "no" / "vm-ari.log") as log:
        log.info("call", call="c1")
    assert "event=call" in capsys.readouterr().err
    with writing(Path("/dev/full")) as log:
        log.info("call", call="c2")
    assert "No space left" in capsys.readouterr().err


def test_standard_error_is_no_journal_and_may_be_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    assert not is_journal(sys.__stderr__)
    assert not is_journal(io.StringIO())
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb", 0) as gone:
        monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(gone, write_through=True))
        with writing(None) as log:
            log.info("nobody reads this")


@pytest.mark.feature("OPS-02")
def test_another_level_for_a_while(tmp_path: Path) -> None:
    file, wish = tmp_path / "vm-ari.log", tmp_path / "log-level"
    now = datetime.now(UTC)
    with writing(file) as log:
        followed = FollowedLevel(wish, "info")
        followed.look(now)
        log.debug("e1")
        wish_level(wish, "debug", now + timedelta(minutes=5))
        followed.look(now)
        log.debug("e2")
        followed.look(now + timedelta(minutes=6))
        log.debug("e3")
        for damaged in ("", "[]", '{"level": 1}', '{"level": "debug", "until": "never"}', "\xff"):
            wish.write_text(damaged)
            followed.look(now)
            assert wished_level(wish, "info", now) == ("info", None)
        wish.write_text(json.dumps({"level": "all", "until": (now + timedelta(1)).isoformat()}))
        followed.look(now)
        log.debug("e4")
    written = [line.event for line in reversed(newest(FileLogs(file)).lines)]
    assert written == ["log level changed", "e2", "log level changed"]


def test_lines_of_anything_are_no_more_than_words() -> None:
    for raw in ("", "=", "event=", 'level="x', "level=info event=a" + "b" * 10_000, "\x00" * 99):
        line = parse(raw)
        assert len(line.event) <= 4_000
    assert parse("level=info event=a event=b").event == "a"
    assert parse("timestamp=yesterday level=info event=a").at is None
