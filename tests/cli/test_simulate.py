"""``vm-ari simulate``: the real dialogue in a terminal (OPS-05)."""

import os
import pty
import re
import subprocess
import sys
import time

import pytest

from tests.cli.site import ROOT, CliSite
from tests.patience import AT_MOST

NEW_PIN = "482915"


@pytest.fixture
def house(people: CliSite) -> CliSite:
    base = people.base
    people.configure(
        f'[spool]\ndirectory = "{base}/spool/vm-ari"\n[store]\nmaildir = "{base}/mail"\n'
        '[mail]\nsender = "voicemail@example.org"\n'
    )
    return people


def test_a_caller_leaves_a_message_that_nobody_gets(house: CliSite) -> None:
    typed = "0hello, this is Bert, please call me back#1"
    said = house.run("simulate", "101", "--fast", typed=typed).stdout
    assert [line for line in said.splitlines() if "Say something" in line]
    assert re.search(r"A message of [2-4]\.\d s would be delivered now, to anna", said)
    assert "VM_ARI_STATUS=SUCCESS" in said
    assert not list(house.base.glob("mail/**/new/*"))
    assert not list(house.base.glob("spool/**/*.wav"))


def test_the_caller_sees_what_callers_of_that_number_hear(house: CliSite) -> None:
    house.run("users", "set", "anna", "language=de")
    assert "eine Nachricht nach dem Signalton" in house.run("simulate", "101", "--fast").stdout
    assert "This mailbox does not exist" in house.run("simulate", "999", "--fast").stdout


def test_a_call_that_says_nothing_leaves_nothing(house: CliSite) -> None:
    said = house.run("simulate", "101", "--fast", typed="0").stdout
    assert "No message would be delivered" in said


def test_the_owner_hears_the_real_mailbox(messages: CliSite) -> None:
    said = messages.run("users", "reset-pin", "anna").stdout
    first = re.search(r"\b\d{6,}\b", said)
    assert first
    typed = f"{first[0]}#{NEW_PIN}#{NEW_PIN}#1"
    heard = messages.run("simulate", "101", "--as-owner", "--fast", typed=typed).stdout
    assert "The mailbox is the real one" in heard
    assert "PIN has been changed" in heard
    assert re.search(r"\[recording “.*”, 2\.5 s\]", heard)


def test_a_wrong_pin_is_refused_as_by_telephone(house: CliSite) -> None:
    house.run("users", "reset-pin", "anna")
    heard = house.run("simulate", "101", "--as-owner", "--fast", typed="1#").stdout
    assert "you have" not in heard.lower()
    assert "PIN" in heard


@pytest.mark.feature("OPS-05")
def test_in_a_terminal_each_key_counts_at_once_and_ctrl_d_hangs_up(house: CliSite) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "vm_ari", "simulate", "101", "-c", str(house.config)]
    with subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs) as call:
        os.close(theirs)
        screen = Screen(ours)
        screen.shows("♪")
        os.write(ours, b"0")
        screen.shows("Say something")
        os.write(ours, "Grüße von Bert, bis später, und vielen Dank".encode())
        time.sleep(0.3)
        os.write(ours, b"\x04")
        screen.shows("would be delivered now, to anna")
        assert call.wait(AT_MOST) == 0
    os.close(ours)


class Screen:
    """What a program writes into a pseudo terminal."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._text = ""

    def shows(self, words: str) -> None:
        """Wait for them; they are used up. Raises `OSError` when the program ends before."""
        while words not in self._text:
            self._text += os.read(self._file, 4096).decode("utf-8", "replace")
        self._text = self._text.partition(words)[2]
