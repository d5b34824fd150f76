"""Delivery into a Maildir when processes are killed and disks fail: once, whole, or not yet."""

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters.mailbox_contract import ANNA, counts, deliver, has, message
from tests.adapters.maildir_store import ROOT, MaildirStore, maildir_store
from vm_ari.domain.messages import Counts, VoiceMessage


@pytest.fixture
def store(tmp_path: Path) -> MaildirStore:
    return maildir_store(tmp_path / "mail")


@pytest.fixture
def voice(tmp_path: Path) -> VoiceMessage:
    return message(tmp_path / "recording.wav")


KILL_POINTS = [
    ("mkdir", 5),
    *(("fsync", n) for n in (3, 4, 5)),
    ("write", 1),
    ("link,linkat", 1),
    ("unlink,unlinkat", 1),
]
"""Making the mailbox: mkdir 1 to 5, fsync 1 to 3. The message: write, fsync 4, link, fsync 5."""
AFTER_THE_LINK = {("fsync", 5), ("unlink,unlinkat", 1)}
DELIVERY = """
import asyncio, pickle, sys
from pathlib import Path
from vm_ari.adapters.maildir import MaildirCourier
from vm_ari.ports import DeliveryPostponed
courier = MaildirCourier(Path(sys.argv[1]), lambda *_, plain: b"X: y\\r\\n\\r\\n" + bytes(100_000))
try:
    asyncio.run(courier.deliver(*pickle.load(sys.stdin.buffer)))
except DeliveryPostponed:
    sys.exit(75)
"""
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace injects faults")


def deliver_with_fault(store: MaildirStore, voice: VoiceMessage, calls: str, fault: str) -> int:
    """The exit status of a process that delivers while the system does it harm."""
    harm = ["-e", f"trace={calls}", "-e", f"inject={calls}:{fault}"]
    strace = ["strace", "-f", "-qq", "-o", os.devnull, *harm]
    delivery = [*strace, sys.executable, "-B", "-c", DELIVERY, str(store.root)]
    message = pickle.dumps((voice, ANNA))
    return subprocess.run(delivery, cwd=ROOT, input=message, check=False).returncode


@needs_strace
@pytest.mark.parametrize(("calls", "when"), KILL_POINTS)
def test_killed_at_a_system_call_it_is_delivered_once_by_the_next_attempt(
    store: MaildirStore, voice: VoiceMessage, calls: str, when: int
) -> None:
    assert deliver_with_fault(store, voice, calls, f"signal=KILL:when={when}") == -9
    files = store.files() if store.inbox.exists() else []
    assert all(len(file.read_bytes()) > 100_000 for file in files)
    assert has(store, voice) is ((calls, when) in AFTER_THE_LINK) is (len(files) == 1)
    deliver(store, voice)
    assert len(store.files()) == 1


@needs_strace
@pytest.mark.parametrize(
    ("calls", "fault"), [("write", "error=ENOSPC:when=1"), ("fsync", "error=EIO:when=4")]
)
def test_a_full_or_broken_disk_postpones_the_delivery(
    store: MaildirStore, voice: VoiceMessage, calls: str, fault: str
) -> None:
    assert deliver_with_fault(store, voice, calls, fault) == os.EX_TEMPFAIL
    assert store.files() == list((store.inbox / "tmp").iterdir()) == []
    deliver(store, voice)
    assert counts(store) == Counts(new_voice=1)


def test_old_leftovers_of_killed_deliveries_are_swept(
    store: MaildirStore, voice: VoiceMessage
) -> None:
    assert counts(store) == Counts()
    old, young = (store.inbox / "tmp" / name for name in ("old", "young"))
    old.touch()
    young.touch()
    os.utime(old, (0, 0))
    deliver(store, voice)
    assert list((store.inbox / "tmp").iterdir()) == [young]
