"""The mass reset at the command line (WELCOME-05, WELCOME-06)."""

import asyncio
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.cli.site import ROOT, CliSite
from tests.patience import AT_MOST
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.login_state import WELCOME_DUE, LoginState, stamp, with_pin
from vm_ari.domain.mass_reset import Order
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.welcome import NEW_PIN, with_mail

T = TypeVar("T")
RESET = ("welcome", "reset")
PIN = "135792"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def on_directory(site: CliSite, story: Callable[[EmbeddedDirectory], Awaitable[T]]) -> T:
    """What the controller, or anybody else, does with the same directory."""

    async def run() -> T:
        directory = EmbeddedDirectory(
            f"sqlite:///{site.base}/directory.db", KeyRing(site.base / "keys")
        )
        try:
            return await story(directory)
        finally:
            await directory.close()

    return asyncio.run(run())


def login(site: CliSite, user: str) -> LoginState:
    """What is remembered of a user's login."""
    return on_directory(site, lambda directory: directory.login_state(user))


def change(site: CliSite, user: str, decide: Callable[[LoginState], LoginState]) -> None:
    """Somebody changes it."""
    on_directory(site, lambda directory: directory.change_login(user, decide))


def guess(site: CliSite, user: str, pin: str, times: int = 1) -> PinCheck:
    """Log in by telephone."""

    async def attempts(directory: EmbeddedDirectory) -> PinCheck:
        return [await directory.check_pin(user, pin) for _ in range(times)][-1]

    return on_directory(site, attempts)


def welcomed(site: CliSite, *users: str) -> None:
    """They got their mails long ago."""
    for user in users:
        change(site, user, lambda state: with_pin(state, PIN, LONG_AGO))
        change(site, user, lambda state: with_mail(state, state, "", LONG_AGO, one_time=False))


def waiting(site: CliSite) -> int:
    """How many mails are queued."""
    said = re.match(r"([0-9]+) mails? ", site.run("welcome", "status").stderr)
    return int(said[1]) if said else 0


def journals(site: CliSite) -> list[Path]:
    """All that were written, the oldest first."""
    return sorted((site.base / "journals").glob("*"))


def results(text: str) -> dict[str, str]:
    """By user, from JSON."""
    return {row["user"]: row["result"] for row in json.loads(text)}


@pytest.fixture
def office(people: CliSite) -> CliSite:
    """Anna and Bert are to get welcome mails."""
    people.configure(
        f'[welcome]\nenabled = true\n[mail]\nqueue = "{people.base}/queue"\n'
        f'[store]\nmaildir = "{people.base}/mail"\n'
    )
    return people


@pytest.fixture
def both(office: CliSite) -> CliSite:
    """They have got them long ago."""
    welcomed(office, "anna", "bert")
    return office


@pytest.mark.feature_part("WELCOME-05", "what is asked for by command line is noted")
def test_the_mail_leaves_again_with_the_next_call(both: CliSite) -> None:
    before = login(both, "anna")
    assert before.welcome == stamp(LONG_AGO)
    said = both.run(*RESET, "anna", "--yes-i-mean", "1")
    assert said.stdout == "1 reset, 0 unchanged, 0 failed\n"
    after = login(both, "anna")
    assert (after.welcome, after.welcome_wish, after.pin) == (WELCOME_DUE, "", PIN)
    assert login(both, "bert").welcome == stamp(LONG_AGO)
    again = both.run(*RESET, "101", "--yes-i-mean", "1")
    assert again.stdout == "0 reset, 1 unchanged, 0 failed\n"
    assert login(both, "anna") == after


@pytest.mark.feature_part("WELCOME-05", "unlocking acts at once, the new PIN with the mail")
def test_a_lock_goes_at_once_and_the_pin_with_the_mail(both: CliSite) -> None:
    assert guess(both, "anna", "000000", times=6) is PinCheck.LOCKED
    both.run(*RESET, "anna", "--new-pin", "--yes-i-mean", "1")
    assert guess(both, "anna", PIN) is PinCheck.LOCKED
    said = both.run(*RESET, "--filter", "locked=yes", "--unlock", "--yes-i-mean", "1")
    assert "1 user is chosen, 1 locked, 1 whose welcome mail is waiting already." in said.stderr
    assert login(both, "anna").welcome_wish == NEW_PIN  # it was asked for, and is not forgotten
    assert guess(both, "anna", PIN) is PinCheck.RIGHT


def test_nobody_is_taken_for_everybody(both: CliSite) -> None:
    assert "Say for whom" in both.run(*RESET, code=2).stderr
    assert "Nobody is chosen" in both.run(*RESET, "-u", "z*", code=1).stderr
    assert "no user “carl”" in both.run(*RESET, "carl", code=1).stderr
    assert journals(both) == []


def test_the_number_of_users_must_be_typed(both: CliSite) -> None:
    asked = both.run(*RESET, "--all", "--new-pin", typed="2\n")
    assert asked.stderr.startswith(
        "2 users are chosen.\nThe welcome mail leaves with the next call and brings a new PIN.\n"
        "Type 2 to go on: "
    )
    assert asked.stdout == "2 reset, 0 unchanged, 0 failed\n"
    welcomed(both, "anna", "bert")
    for words, typed in ((("--yes-i-mean", "3"), ""), ((), "3\n"), ((), "")):
        refused = both.run(*RESET, "--all", *words, typed=typed, code=1)
        assert refused.stdout == ""
    assert login(both, "anna").welcome == login(both, "bert").welcome == stamp(LONG_AGO)
    assert len(journals(both)) == 1


def test_a_dry_run_changes_nothing(both: CliSite) -> None:
    both.run(*RESET, "bert", "--yes-i-mean", "1")
    said = both.run(*RESET, "--all", "-n").stdout
    assert said == "1 would be reset, 1 unchanged\n"
    told = both.run(*RESET, "--all", "-n", "-o", "json").stdout
    assert results(told) == {"anna": "would be reset", "bert": "unchanged"}
    assert login(both, "anna").welcome == stamp(LONG_AGO)
    assert len(journals(both)) == 1


def test_programs_hear_what_became_of_everybody(both: CliSite) -> None:
    both.run(*RESET, "bert", "--yes-i-mean", "1")
    words = (*RESET, "--all", "--yes-i-mean", "2")
    assert results(both.run(*words, "-o", "json").stdout) == {"anna": "done", "bert": "unchanged"}
    assert both.run(*words, "-o", "tsv").stdout.splitlines() == [
        "user\tresult\treason", "anna\tunchanged\t", "bert\tunchanged\t"
    ]  # fmt: skip


def test_neither_journal_nor_report_tells_a_pin(both: CliSite) -> None:
    said = both.run(*RESET, "--all", "--new-pin", "--unlock", "--yes-i-mean", "2", "-o", "json")
    (file,) = journals(both)
    for text in (said.output, file.read_text()):
        assert PIN not in text
        assert "v1." not in text  # sealed


@pytest.mark.feature_part("WELCOME-06", "mails that leave at once are queued")
def test_mails_leave_at_once_where_that_is_asked_for(both: CliSite) -> None:
    both.run("users", "disable", "bert")
    said = both.run(*RESET, "--all", "--now", "--new-pin", "--yes-i-mean", "2", code=5)
    assert said.stdout == "1 reset, 0 unchanged, 1 failed\n"
    assert "bert: The mail does not leave now: voice mail is switched off" in said.stderr
    anna = login(both, "anna")
    assert anna.welcome_wish == ""
    assert anna.welcome > stamp(LONG_AGO)
    assert anna.pin not in {"", PIN}
    assert guess(both, "anna", anna.pin) is PinCheck.RIGHT
    assert anna.pin not in said.output + journals(both)[0].read_text()
    assert waiting(both) == 1
    both.run("users", "enable", "bert")
    went_on = both.run(*RESET, "--resume", journals(both)[0])
    assert went_on.stdout == "2 reset, 0 unchanged, 0 failed\n"
    assert login(both, "anna") == anna
    assert login(both, "bert").pin != PIN
    assert waiting(both) == 2


@pytest.mark.feature_part("WELCOME-07", "no reset where welcome mails are switched off")
def test_nothing_is_reset_where_no_mail_would_leave(both: CliSite) -> None:
    both.configure("[welcome]\nenabled = false\n")
    for words in (("--all", "--yes-i-mean", "2"), ("--resume", both.base / "j.jsonl")):
        assert "switched off" in both.run(*RESET, *words, code=1).stderr
    assert login(both, "anna").welcome == stamp(LONG_AGO)


# --- interrupted runs


def crowd(site: CliSite, size: int) -> None:
    """More users, who all got their mails."""
    file = site.base / "crowd.csv"
    rows = [f"u{number:04},{2000 + number},{PIN}" for number in range(size)]
    file.write_text("\n".join(["id,numbers,pin", *rows]))
    site.run("users", "import", file)


def lines(journal: Path) -> list[dict[str, Any]]:
    """What is in it; its last line may still be written."""
    return [json.loads(line) for line in journal.read_text().split("\n")[:-1]]


def ended(journal: Path) -> int:
    """How many users are finished."""
    return sum("end" in line for line in lines(journal)) if journal.exists() else 0


def started(site: CliSite, *words: str | Path) -> "subprocess.Popen[str]":
    """The command as a program that goes on by itself."""
    command = [sys.executable, "-m", "vm_ari", *RESET, *map(str, words), "-c", str(site.config)]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for it."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_ctrl_c_says_how_to_go_on_and_nobody_is_left_half_done(office: CliSite) -> None:
    crowd(office, 40)
    journal = office.base / "j with blank.jsonl"
    process = started(
        office, "--all", "--yes-i-mean", "42", "--rate", "300/min", "--journal", journal
    )
    until(lambda: ended(journal) >= 3)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=AT_MOST)
    assert process.returncode == 130, stderr
    done = ended(journal)
    assert 3 <= done < 42
    assert stdout == f"{done} reset, 0 unchanged, 0 failed, {42 - done} open\n"
    assert done == sum("try" in line for line in lines(journal))
    (command,) = [line for line in stderr.splitlines() if line.startswith("Go on with: ")]
    program, *words = shlex.split(command.removeprefix("Go on with: "))
    assert program == "vm-ari"
    words = [word for word in words if "/min" not in word and word != "--rate"]
    went_on = office.run(*words)
    assert went_on.stdout == "42 reset, 0 unchanged, 0 failed\n"
    assert f"So far: {done} reset" in went_on.stderr
    assert sum("try" in line for line in lines(journal)) == 42
    assert office.run(*words).stdout == "42 reset, 0 unchanged, 0 failed\n"
    assert sum("try" in line for line in lines(journal)) == 42


def test_a_terminal_is_shown_how_far_and_how_fast(office: CliSite) -> None:
    crowd(office, 30)
    ours, theirs = pty.openpty()
    words = [*RESET, "--all", "--yes-i-mean", "32", "--rate", "1200/min", "-c", str(office.config)]
    process = subprocess.Popen(
        [sys.executable, "-m", "vm_ari", *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs
    )
    os.close(theirs)
    shown = everything(ours)
    stdout, _ = process.communicate(timeout=AT_MOST)
    assert (stdout, process.returncode) == (b"32 reset, 0 unchanged, 0 failed\n", 0)
    assert b"Resetting" in shown
    assert b"32/32" in shown
    assert re.search(rb"[0-9]+/s", shown)
    assert re.search(rb"00:00:[0-9]{2}", shown)


def everything(terminal: int) -> bytes:
    """What is written until nobody has the other end any more."""
    shown = b""
    with suppress(OSError), os.fdopen(terminal, "rb", buffering=0) as file:
        while piece := file.read(4096):
            shown += piece
    return shown


def half_done(site: CliSite, *users: str, order: Order = Order()) -> Path:  # noqa: B008 - frozen
    """The journal of a run that was killed after it had noted these tries, and no end."""
    journal = site.base / "half.jsonl"
    journal.unlink(missing_ok=True)
    flags = {"--new-pin": order.new_pin, "--unlock": order.unlock, "--now": order.now}
    words = [word for word, wanted in flags.items() if wanted]
    count = str(len(users))
    process = site.run(*RESET, *users, *words, "--yes-i-mean", count, "--journal", journal)
    assert process.exit_code == 0
    kept = [line for line in journal.read_text().splitlines() if '"end"' not in line]
    journal.write_text("\n".join([*kept, '{"end": "an']))  # the last line is torn
    return journal


@pytest.mark.feature_part("WELCOME-06", "a try whose end was not noted is finished, and once only")
def test_killed_after_the_change_and_before_its_line(both: CliSite) -> None:
    order = Order(new_pin=True, unlock=True)
    journal = half_done(both, "anna", "bert", order=order)
    # Anna's mail has left since; Bert's change never reached the directory
    sent = datetime.now(UTC)
    change(both, "anna", lambda s: with_mail(s, s, "246813", sent, one_time=False))
    welcomed(both, "bert")
    anna = login(both, "anna")
    dry = both.run(*RESET, "--resume", journal, "-n")
    assert dry.stdout == "0 reset, 0 unchanged, 0 failed, 2 open\n"
    assert both.run(*RESET, "--resume", journal).stdout == "2 reset, 0 unchanged, 0 failed\n"
    assert login(both, "anna") == anna
    assert (login(both, "bert").welcome, login(both, "bert").welcome_wish) == (WELCOME_DUE, NEW_PIN)


def test_killed_after_the_mail_was_queued_and_before_its_line(both: CliSite) -> None:
    journal = half_done(both, "anna", order=Order(new_pin=True, now=True))
    anna = login(both, "anna")
    assert both.run(*RESET, "--resume", journal).stdout == "1 reset, 0 unchanged, 0 failed\n"
    assert login(both, "anna") == anna
    assert waiting(both) == 1


def test_what_has_failed_is_named_and_tried_again(both: CliSite) -> None:
    crowd(both, 1)
    journal = half_done(both, "anna", "bert", "u0000")
    both.run("users", "delete", "bert", "-y")
    partly = both.run(*RESET, "--resume", journal, "-o", "json", code=5)
    assert results(partly.stdout) == {"anna": "done", "bert": "failed", "u0000": "done"}
    assert "bert: There is no user bert." in partly.stderr
    assert f"Go on with: vm-ari welcome reset --resume {journal}" in partly.stderr
    both.run("users", "add", "bert", "name=Bert", "--number", "102")
    assert both.run(*RESET, "--resume", journal).stdout == "3 reset, 0 unchanged, 0 failed\n"
    both.run("users", "delete", "anna", "bert", "-y")
    everybody = half_done(both, "u0000")
    both.run("users", "delete", "u0000", "-y")
    assert both.run(*RESET, "--resume", everybody, code=1).stdout.endswith("1 failed\n")


def test_a_journal_is_gone_on_with_as_it_is(both: CliSite) -> None:
    journal = half_done(both, "anna")
    for words in (("--all",), ("bert",), ("--new-pin",), ("--now",), ("--yes-i-mean", "1")):
        both.run(*RESET, "--resume", journal, *words, code=2)
    good = both.config.read_text()
    both.config.write_text(good.replace("directory.db", "other.db"))
    told = both.run(*RESET, "--resume", journal, code=1).stderr
    assert f"{journal} belongs to another directory" in told
    both.config.write_text(good)
    journal.write_text(journal.read_text().replace("welcome reset", "users import"))
    assert "no journal of a reset" in both.run(*RESET, "--resume", journal, code=1).stderr


def test_several_at_once_on_one_journal_are_refused(office: CliSite) -> None:
    crowd(office, 30)
    journal = office.base / "j.jsonl"
    words = ("--all", "--yes-i-mean", "32", "--rate", "60/min", "--journal", journal)
    process = started(office, *words)
    until(lambda: ended(journal) >= 1)
    assert "another reset works on it" in office.run(*RESET, "--resume", journal, code=1).stderr
    assert "exists" in office.run(*RESET, *words, code=1).stderr
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=AT_MOST)
    assert process.returncode == 128 + signal.SIGTERM
    assert office.run(*RESET, "--resume", journal).stdout.startswith("32 reset, 0 unchanged")


@pytest.mark.parametrize("rate", ["0", "-1", "fast", "10/s", ""])
def test_a_rate_is_users_a_minute(office: CliSite, rate: str) -> None:
    assert "users a minute" in office.run(*RESET, "--all", "--rate", rate, code=2).stderr
