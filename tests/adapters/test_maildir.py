"""The Maildir store, alone and beside other mail programs; and the fake that stands in for it."""

import asyncio
import functools
import mailbox
import stat
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from tests.adapters.mailbox_contract import (
    ANNA,
    CALLED_AT,
    ORDINARY_MAIL,
    MailboxContract,
    Store,
    counts,
    deliver,
    has,
    in_mailbox,
    listed,
    message,
)
from tests.adapters.maildir_store import DELETED, MaildirStore, maildir_store, write_mail
from tests.fakes import FakeCourier, FakeMailboxes
from vm_ari.adapters.mail_summary import summary_of
from vm_ari.adapters.maildir import (
    HeaderMemory,
    MaildirCourier,
    MaildirMailboxes,
)
from vm_ari.adapters.maildir_tree import folder_name, name_of, store_name
from vm_ari.adapters.session_files import NoPlayableAudio
from vm_ari.domain.callers import Caller
from vm_ari.domain.kind_rules import KindRule
from vm_ari.domain.messages import OTHER_KINDS, Counts, MessageKind, StoredMessage, VoiceMessage
from vm_ari.domain.users import User
from vm_ari.ports import DeliveryPostponed, Mailbox, MailboxUnavailable, MessageGone


@pytest.mark.feature_part("STORE-01", "the same promises over Maildir and mail server")
class TestMaildir(MailboxContract):
    """The contract on a real disk."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return maildir_store(tmp_path / "mail")


class TestFakeMailboxes(MailboxContract):
    """The contract on the fake."""

    @pytest.fixture
    def store(self) -> Store:
        return FakeStore()


class FakeStore:
    """The fake with the same hands."""

    def __init__(self) -> None:
        self.mailboxes = FakeMailboxes()
        self.courier = FakeCourier(self.mailboxes)

    def post(self, user: User, mail: bytes) -> None:
        assert mail.startswith((ORDINARY_MAIL, b"Message-Context: "))
        kind = summary_of(mail).kind
        stored = StoredMessage(f"mail-{kind.value}", kind, CALLED_AT, Caller(name="Eve"))
        self.mailboxes.put(user, stored, mail=mail)

    def lose(self, user: User, uid: str) -> None:
        self.mailboxes.lose(user, uid)


def test_the_fake_can_be_unavailable() -> None:
    mailboxes = FakeMailboxes(unavailable=True)

    async def story() -> None:
        async with mailboxes.open(ANNA):
            pass

    with pytest.raises(MailboxUnavailable):
        asyncio.run(story())


@pytest.fixture
def store(tmp_path: Path) -> MaildirStore:
    return maildir_store(tmp_path / "mail")


@pytest.fixture
def voice(tmp_path: Path) -> VoiceMessage:
    return message(tmp_path / "recording.wav")


def only_file(store: MaildirStore) -> Path:
    [file] = store.files()
    return file


# --- What lies on the disk


def test_it_is_a_standard_maildir_that_only_we_can_read(
    store: MaildirStore, voice: VoiceMessage
) -> None:
    deliver(store, voice)
    for directory in (store.inbox, *(store.inbox / name for name in ("cur", "new", "tmp"))):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    file = only_file(store)
    assert file.parent.name == "new"
    assert b"\r\n" not in file.read_bytes()
    assert list((store.inbox / "tmp").iterdir()) == []


def test_urgent_is_the_flag_that_mail_programs_show(
    store: MaildirStore, voice: VoiceMessage
) -> None:
    deliver(store, replace(voice, facts=replace(voice.facts, urgent=True)))
    assert only_file(store).name.endswith(":2,F")


def test_deleted_messages_lie_in_a_maildir_folder(store: MaildirStore, voice: VoiceMessage) -> None:
    deliver(store, voice)
    in_mailbox(store, lambda box: box.delete(name_of(voice.facts)))
    assert (store.inbox / DELETED / "maildirfolder").is_file()
    assert only_file(store).parent == store.inbox / DELETED / "cur"


def test_other_flags_are_kept(store: MaildirStore, voice: VoiceMessage) -> None:
    deliver(store, voice)
    uid = name_of(voice.facts)
    only_file(store).rename(store.inbox / "cur" / f"{uid}:2,RSab")
    in_mailbox(store, lambda box: box.mark(uid, new=True))
    assert only_file(store).name == f"{uid}:2,Rab"
    in_mailbox(store, lambda box: box.delete(uid))
    assert only_file(store).name == f"{uid}:2,Rab"


def test_what_a_client_has_marked_for_removal_is_not_there(
    store: MaildirStore, voice: VoiceMessage
) -> None:
    deliver(store, voice)
    uid = name_of(voice.facts)
    only_file(store).rename(store.inbox / "cur" / f"{uid}:2,ST")
    assert counts(store) == Counts()
    with pytest.raises(MessageGone):
        in_mailbox(store, lambda box: box.audio(uid))
    assert has(store, voice)


@pytest.mark.parametrize(
    ("name", "directory"),
    [
        ("Deleted voice messages", ".Deleted voice messages"),
        ("Gelöschte Sprachnachrichten", ".Gel&APY-schte Sprachnachrichten"),
        ("A & B", ".A &- B"),
        ("日本語", ".&ZeVnLIqe-"),
    ],
)
def test_folder_names_are_written_as_imap_servers_do(name: str, directory: str) -> None:
    assert folder_name(name) == directory


@pytest.mark.parametrize("name", ["", " ", "..", "a/b", "../x", "a.b", "a\nb", "\0"])
def test_what_cannot_be_a_folder_is_refused_at_the_start(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="folder"):
        MaildirMailboxes(tmp_path, deleted_folder=name)


HOSTILE = [
    "..",
    "../../etc",
    "/etc",
    ".",
    "a/b",
    "\0",
    "a\nb",
    "ü" * 300,
    "x" * 5000,
    "id=x",
    "%2E",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_no_directory_value_leads_out_of_the_root(tmp_path: Path, value: str) -> None:
    store = maildir_store(tmp_path / "mail")
    for user in (replace(ANNA, mailbox=value), replace(ANNA, mailbox="", id=value)):
        assert in_mailbox(store, lambda box: box.counts(), user) == Counts()
    assert len(list((tmp_path / "mail").iterdir())) == 2
    assert list(tmp_path.iterdir()) == [tmp_path / "mail"]


def test_different_users_have_different_stores() -> None:
    users = [replace(ANNA, mailbox=v) for v in HOSTILE]
    users += [replace(ANNA, mailbox="", id=v) for v in HOSTILE]
    assert len({store_name(user) for user in users}) == len(users)


def test_a_hostile_message_id_stays_a_file_name(store: MaildirStore, voice: VoiceMessage) -> None:
    hostile = replace(voice, facts=replace(voice.facts, id="../../x:2,S"))
    deliver(store, hostile)
    assert has(store, hostile)
    assert counts(store) == Counts(new_voice=1)


# --- Beside other mail programs


def test_a_message_that_another_program_has_renamed_is_recognised_by_its_header(
    store: MaildirStore, voice: VoiceMessage
) -> None:
    deliver(store, voice)
    [before] = listed(store, new=True)
    only_file(store).rename(store.inbox / "cur" / "1774745970.M5P7.host,S=123:2,")
    [after] = listed(store, new=True)
    assert replace(after, uid=before.uid) == before
    assert counts(store) == Counts(new_voice=1)


def test_a_client_that_changes_flags_all_the_time_does_no_harm(
    store: MaildirStore, voice: VoiceMessage
) -> None:
    deliver(store, voice)
    uid, stop = name_of(voice.facts), threading.Event()

    def client() -> None:
        for number in range(1_000_000):
            if stop.is_set():
                return
            for file in store.inbox.glob("*/*voice*"):
                target = store.inbox / "cur" / f"{uid}:2,{'F' if number % 2 else 'FR'}"
                with suppress(FileNotFoundError):
                    file.rename(target)
            time.sleep(0.0005)

    async def story(box: Mailbox) -> None:
        for _ in range(15):
            now = await box.counts()
            assert now.new_voice + now.heard_voice == 1
            await box.mark(uid, new=False)
            assert len(await box.messages(MessageKind.VOICE, new=True)) <= 1
            await box.audio(uid)

    thread = threading.Thread(target=client)
    thread.start()
    try:
        in_mailbox(store, story)
    finally:
        stop.set()
        thread.join()


def test_odd_files_do_not_close_the_mailbox(store: MaildirStore, voice: VoiceMessage) -> None:
    deliver(store, voice)
    (store.inbox / "cur" / "directory").mkdir()
    (store.inbox / "cur" / ".hidden").touch()
    (store.inbox / "cur" / "empty").touch()
    (store.inbox / "new" / "dangling").symlink_to("nowhere")
    assert counts(store) == Counts(new_voice=1, new_other=2)
    with pytest.raises(NoPlayableAudio):
        in_mailbox(store, lambda box: box.audio("empty"))


def test_no_audio_is_not_a_crash(store: MaildirStore, voice: VoiceMessage) -> None:
    deliver(store, voice)
    store.post(ANNA, b"Message-Context: voice-message\r\n\r\nlisten!\r\n")
    store.post(ANNA, b"Message-Context: voice-message\r\nContent-Type: audio/wav\r\n\r\nRIFFx\r\n")
    foreign = [m.uid for m in listed(store, new=True) if m.uid != name_of(voice.facts)]
    assert len(foreign) == 2
    for uid in foreign:
        with pytest.raises(NoPlayableAudio):
            in_mailbox(store, functools.partial(play, uid=uid))


async def play(box: Mailbox, uid: str) -> Path:
    return await box.audio(uid)


# --- Sessions


def test_audio_lies_in_a_private_directory_until_the_mailbox_is_closed(
    tmp_path: Path, voice: VoiceMessage
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    store = maildir_store(tmp_path / "mail")
    store.mailboxes = MaildirMailboxes(tmp_path / "mail", work_directory=work)
    deliver(store, voice)

    async def story(box: Mailbox) -> Path:
        path = await box.audio(name_of(voice.facts))
        assert await box.audio(name_of(voice.facts)) != path
        [session] = work.iterdir()
        assert session in path.parents
        assert stat.S_IMODE(session.stat().st_mode) == 0o2750  # Asterisk may be of that group
        return path

    path = in_mailbox(store, story)
    assert path.suffix == ".wav"
    assert list(work.iterdir()) == []


@pytest.mark.parametrize(
    ("audio_format", "rate", "suffix"),
    [
        ("wav", 8000, ".wav"),
        ("wav49", 8000, ".wav"),
        ("mp3", 8000, ".wav"),
        ("opus", 8000, ".wav"),
        ("wav", 16000, ".wav16"),
        ("wav", 44100, ".wav16"),
    ],
)
def test_what_the_mail_carries_is_played_as_telephone_wav(
    tmp_path: Path, voice: VoiceMessage, audio_format: str, rate: int, suffix: str
) -> None:
    samples, given = soundfile.read(voice.audio, dtype="int16")
    assert given == 8000
    soundfile.write(voice.audio, samples, rate, format="WAV", subtype="PCM_16")
    mail = functools.partial(write_mail, audio_format=audio_format)
    store = maildir_store(tmp_path / "mail")
    store.courier = MaildirCourier(store.root, mail)
    deliver(store, voice)

    async def story(box: Mailbox) -> tuple[str, str, int, int, float]:
        path = await box.audio(name_of(voice.facts))
        info = soundfile.info(path)
        return path.suffix, info.subtype, info.channels, info.samplerate, info.duration

    *facts, seconds = in_mailbox(store, story)
    assert facts == [suffix, "PCM_16", 1, 8000 if suffix == ".wav" else 16000]
    assert seconds == pytest.approx(len(samples) / rate, abs=0.1)


def test_a_store_that_cannot_be_used_is_unavailable(tmp_path: Path, voice: VoiceMessage) -> None:
    (tmp_path / "mail").write_text("a file where the directory should be")
    store = maildir_store(tmp_path / "mail")
    with pytest.raises(MailboxUnavailable):
        counts(store)
    with pytest.raises(DeliveryPostponed):
        deliver(store, voice)


def test_a_missing_recording_postpones_the_delivery(
    store: MaildirStore, voice: VoiceMessage
) -> None:
    with pytest.raises(DeliveryPostponed, match="recording"):
        deliver(store, replace(voice, audio=voice.audio + ".missing"))
    assert counts(store) == Counts()


# --- Counting


def test_own_messages_are_counted_without_opening_one(store: MaildirStore) -> None:
    assert counts(store) == Counts()
    for number in range(2000):
        name = f"17{number:08}.voice-{number:x}.vm-ari"
        flags = ":2,S" if number % 10 else ":2,"
        (store.inbox / "cur" / (name + flags)).symlink_to("nowhere")
    assert counts(store) == Counts(new_voice=200, heard_voice=1800)


def test_the_header_of_other_messages_is_read_once(store: MaildirStore) -> None:
    assert counts(store) == Counts()
    for _ in range(3):
        store.post(ANNA, b"Message-Context: voice-message\r\n\r\n")
    assert counts(store) == Counts(new_voice=3)
    for file in store.files():
        file.write_bytes(b"")
    assert counts(store) == Counts(new_voice=3)


def test_the_memory_of_headers_is_bounded(tmp_path: Path) -> None:
    summary = object()
    memory = HeaderMemory(limit=10)
    for box in range(5):
        memory.of(tmp_path / str(box)).update({str(n): summary for n in range(4)})  # type: ignore[misc]
    assert len(memory.of(tmp_path / "4")) == 4
    assert len(memory.of(tmp_path / "0")) == 0


@pytest.mark.feature("STORE-01")
def test_another_maildir_program_reads_it(store: MaildirStore, voice: VoiceMessage) -> None:
    deliver(store, voice)
    deliver(store, replace(voice, facts=replace(voice.facts, id="b", urgent=True)))
    in_mailbox(store, lambda box: box.delete(name_of(voice.facts)))
    maildir = mailbox.Maildir(store.inbox, create=False)
    assert [(m.get_flags(), m["Message-Context"]) for m in maildir] == [("F", "voice-message")]
    assert maildir.list_folders() == ["Deleted voice messages"]
    [deleted] = maildir.get_folder("Deleted voice messages")
    assert deleted["Message-ID"] == voice.facts.message_id


@pytest.mark.feature_part("INBOX-03", "the type, by rules of the site, in the local store")
def test_kinds_by_rule_are_counted_and_listed(tmp_path: Path) -> None:
    store = maildir_store(tmp_path / "mail")
    rules = [KindRule("Subject", "Fax from *", MessageKind.FAX)]
    store.mailboxes = MaildirMailboxes(tmp_path / "mail", kind_rules=rules)
    assert counts(store) == Counts()
    for subject in ("Lunch", "Fax from 1", "fax FROM =?utf-8?q?J=C3=B6rg?="):
        store.post(ANNA, f"Subject: {subject}\r\n\r\nHello.\r\n".encode())
    store.post(ANNA, b"Message-Context: pager-message\r\nImportance: high\r\n\r\nHello.\r\n")
    store.post(ANNA, b"Message-Context: voice-message\r\nX-Priority: 1\r\n\r\nHello.\r\n")
    assert counts(store) == Counts(new_voice=1, urgent_voice=1, new_other=4, new_fax=2, new_text=1)

    async def story(box: Mailbox) -> list[list[bool]]:
        """Who is urgent, of each kind."""
        many = [await box.messages(kind, new=True) for kind in (*OTHER_KINDS, MessageKind.VOICE)]
        return [[one.urgent for one in listed] for listed in many]

    assert in_mailbox(store, story) == [[False], [False, False], [True], [True]]
