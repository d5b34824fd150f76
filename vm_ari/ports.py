"""What the use cases need from the world: small protocols named by role."""

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from vm_ari.domain.callers import Caller
from vm_ari.domain.contacts import Contact
from vm_ari.domain.delivery import Attempts, FallbackFile
from vm_ari.domain.dialling import Allowed
from vm_ari.domain.entries import Entry, Organisation
from vm_ari.domain.greeting_ends import GreetingEnd
from vm_ari.domain.greetings import GlobalMode, Greeting, GreetingKey, Source
from vm_ari.domain.journal import JournalEntry, Search, Viewer
from vm_ari.domain.log_lines import LogPage, LogQuery
from vm_ari.domain.login_state import Decide, LoginChange, LoginState
from vm_ari.domain.mail_speech.utterances import Utterance
from vm_ari.domain.messages import CallFacts, Counts, MessageKind, StoredMessage, VoiceMessage
from vm_ari.domain.notice_jobs import NoticeJob
from vm_ari.domain.notifications import Announcement, Channel, Notice, State, Tally
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.quota import Quota
from vm_ari.domain.recording import Take
from vm_ari.domain.ring_events import RingEvent
from vm_ari.domain.short_messages import ShortMessage
from vm_ari.domain.site_mails import SiteMail
from vm_ari.domain.system_mails import Letter, Recipient, SystemMail
from vm_ari.domain.transfer import Chain
from vm_ari.domain.user_queries import UserQuery
from vm_ari.domain.users import User


class DirectoryUnavailable(Exception):
    """No directory server answers, and the cache does not know either."""


class DirectoryReadOnly(DirectoryUnavailable):
    """The directory takes no changes from us; settings can be kept locally instead (DIR-04)."""


class DirectoryIncomplete(DirectoryUnavailable):
    """The server gave some of the users only: our account needs a higher limit there."""


class Taken(Exception):
    """An entry cannot be stored beside another one; *entry_id* tells which of several."""

    def __init__(self, text: str, entry_id: str = "") -> None:
        super().__init__(text)
        self.entry_id = entry_id


class UserExists(Taken):
    """There is a user of that id already."""


class NumberTaken(Taken):
    """Another user has that number or mailbox. The text says who."""


class MailTaken(Taken):
    """Another user has that mail address. The text says who."""


class UnknownUser(Exception):
    """There is no user of that id."""


class MailboxUnavailable(Exception):
    """The message store does not answer, or refuses us."""


class MailboxFull(MailboxUnavailable):
    """There is no room for what was asked; everything else works."""


class MessageGone(Exception):
    """The message is no longer there: somebody else removed it."""


class Unplayable(MessageGone):
    """The message is there, but without a sound that could be played."""


class DeliveryPostponed(Exception):
    """Not now: server away, busy, quota. The text says why."""


class NoRoomLeft(DeliveryPostponed):
    """There is no room in the mailbox: it comes when its owner has made some."""


class DeliveryRefused(Exception):
    """Never: the target refuses this message or recipient for good. The text says why."""


class SpoolFull(Exception):
    """There is no room (or no permission) to keep a recording."""


class SpoolInUse(Exception):
    """Another controller works on the same recordings; two would deliver everything twice."""


class RecordingUnreadable(Exception):
    """What Asterisk left is not the audio it should be. The text says what is wrong."""


class Clock(Protocol):
    """The only place that knows what time it is."""

    def now(self) -> datetime:
        """The time in UTC, with its zone."""
        ...


class Directory(Protocol):
    """Who has which number. Every method raises `DirectoryUnavailable`."""

    async def user_by_number(self, number: str) -> User | None:
        """The owner of an E.164 number or extension."""
        ...

    async def user_by_id(self, user_id: str) -> User | None:
        """The user of that stable name."""
        ...

    async def all_users(self) -> Sequence[User]:
        """Everybody with a mailbox (lamps after a restart)."""
        ...

    async def check_pin(self, user_id: str, pin: str) -> PinCheck:
        """Judge one attempt; the failure is counted durably before this returns."""
        ...


class SettingsStore(Protocol):
    """Where users change their own settings."""

    async def change_settings(self, user_id: str, new: Mapping[str, str | None]) -> None:
        """Set texts by key, or (None) remove them; durable when this returns.

        Nothing that others change meanwhile is lost. Raises `DirectoryUnavailable`, `UnknownUser`,
        `Unstorable`.
        """
        ...


class LoginRecords(Protocol):
    """What is remembered of users' logins. Raises `DirectoryUnavailable`, `UnknownUser`."""

    async def login_state(self, user_id: str) -> LoginState:
        """As the directory says it now, never from memory."""
        ...

    async def change_login(self, user_id: str, decide: Decide) -> LoginChange:
        """Change it as if nobody else were there; durable when this returns.

        *decide* may be called again, and in another thread; whoever answers what he was given
        changes nothing. Raises `Unstorable`.
        """
        ...


class CallDirectory(Directory, SettingsStore, LoginRecords, Protocol):
    """What calls need of a directory."""


class BadRecord(ValueError):
    """A record of a file cannot be imported. The text names the line and the reason."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line


@dataclass(frozen=True)
class UserRecord:
    """A user as a file describes one; nothing is checked yet."""

    line: int
    """Where it begins, from 1."""
    texts: Mapping[str, str]
    """By the fields of `Entry` that are one text."""
    numbers: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    """Keys and texts; also ``pin``, sealed or plain."""
    legacy: tuple[str, ...] = ()
    """Values of the older form."""


@dataclass(frozen=True)
class Resealed:
    """What a rotation of keys has done."""

    renewed: int
    """Secrets that are now sealed with the newest key."""
    current: int
    """Secrets that were already."""
    broken: tuple[str, ...] = ()
    """Users of whom a secret cannot be opened: all of theirs were left as they are."""

    def __add__(self, other: "Resealed") -> "Resealed":
        return Resealed(
            self.renewed + other.renewed,
            self.current + other.current,
            self.broken + other.broken,
        )


class UserRegister(LoginRecords, Protocol):
    """What an admin does with a directory. Every method raises `DirectoryUnavailable`.

    Changes of one user raise `UnknownUser`; each is done wholly or not at all.
    """

    async def entry_by_id(self, user_id: str) -> Entry | None:
        """What the directory itself says of a user."""
        ...

    async def entry_by_number(self, number: str) -> Entry | None:
        """What it says of the owner of an E.164 number, extension or mailbox."""
        ...

    async def all_entries(self) -> Sequence[Entry]:
        """What it says of everybody, by id."""
        ...

    async def organisations(self) -> Sequence[Organisation]:
        """All of them, by id."""
        ...

    async def add_entries(
        self, entries: Sequence[Entry], progress: Callable[[int], None] = ...
    ) -> None:
        """All of them in one transaction, or none; *progress* hears how many are written.

        It is called from another thread. Raises `Taken` with the entry's id; `Unstorable`.
        """
        ...

    async def merge_entries(
        self,
        new: Sequence[Entry],
        changed: Sequence[tuple[Entry, Entry]],
        progress: Callable[[int], None] = ...,
    ) -> None:
        """Add users, and change others from what they were to what they shall be: all, or none.

        Only what differs between the two is written; failures of PINs stay. *progress* as in
        `add_entries`. Raises `Taken`, `UnknownUser` for one that is gone meanwhile, `Unstorable`.
        """
        ...

    async def change_details(self, user_id: str, new: Mapping[str, str]) -> None:
        """Set name, given, surname, mail or organisation. Raises `MailTaken`."""
        ...

    async def change_settings(self, user_id: str, new: Mapping[str, str | None]) -> None:
        """Set texts by key, or (None) remove them. Nothing that others change meanwhile is lost.

        Raises `Unstorable`.
        """
        ...

    async def set_numbers(self, user_id: str, numbers: Sequence[str], mailbox: str) -> None:
        """The numbers of a user from now on. Raises `NumberTaken`."""
        ...

    async def remove_user(self, user_id: str) -> None:
        """Forget the user, the numbers and the PIN."""
        ...

    async def set_pin(self, user_id: str, pin: str | None) -> None:
        """Set or (None) remove the PIN, whose age is not known then; a lock stays."""
        ...

    async def unlock(self, user_id: str) -> None:
        """Forget the wrong PINs, so that the user may log in again."""
        ...

    def seal_pin(self, user_id: str, pin: str) -> str:
        """For the sealed values of a new entry. Raises `DirectoryUnavailable` without keys."""
        ...

    async def reseal(self, progress: Callable[[int], None] = ...) -> Resealed:
        """Seal every secret with the newest key."""
        ...


class UserList(Protocol):
    """The users of a directory, page by page. Every method raises `DirectoryUnavailable`."""

    async def page(self, query: UserQuery) -> Sequence[Entry]:
        """Of those who fit, by id."""
        ...

    async def counts(self) -> Mapping[str, int]:
        """How many users there are, by organisation."""
        ...

    async def with_more_numbers(self, than: int) -> Sequence[tuple[str, str, int]]:
        """Who has too many: id, organisation and how many, by id; some hundred at most."""
        ...

    def changed(self) -> None:
        """Somebody was added, changed or removed: what is remembered is out of date."""
        ...


class Mailbox(Protocol):
    """One user's message store, open. Every method raises `MailboxUnavailable`."""

    async def counts(self) -> Counts:
        """How many messages there are now."""
        ...

    async def messages(self, kind: MessageKind, *, new: bool) -> Sequence[StoredMessage]:
        """The new or the old messages of that kind, in no particular order."""
        ...

    async def audio(self, uid: str) -> Path:
        """A local 8 or 16 kHz WAV of the message, valid while the mailbox is open.

        Raises `MessageGone`.
        """
        ...

    async def mail(self, uid: str, *, most: int | None = None) -> Path:
        """The message as it was sent, or its first *most* octets; valid while the mailbox is open.

        RFC 5322, lines end in CRLF; a file that only we may read. Raises `MessageGone`.
        """
        ...

    async def mark(self, uid: str, *, new: bool) -> None:
        """Make it heard, or new again. Raises `MessageGone`."""
        ...

    async def delete(self, uid: str) -> None:
        """Move it to the folder of deleted messages. Raises `MessageGone`."""
        ...

    async def find(self, message_id: str, since: datetime) -> str | None:
        """The uid of the message with that Message-ID (angle brackets and all), unless deleted.

        *since* is when it was made: older ones are not looked through. None if it is not there.
        """
        ...

    async def undelete(self, uid: str) -> None:
        """Bring it back as it was. Raises `MessageGone`."""
        ...

    async def purge(self, uid: str) -> None:
        """Remove for good what `delete` has moved; other messages stay. Raises `MessageGone`."""
        ...

    async def move(self, uid: str, folder: str) -> None:
        """To another folder, made at need; empty: where new messages come. Raises `MessageGone`."""
        ...

    async def quota(self) -> Quota | None:
        """How full it is; None where nothing sets a limit, or nobody tells."""
        ...


class Mailboxes(Protocol):
    """The message stores of all users."""

    def open(self, user: User, folder: str = "") -> AbstractAsyncContextManager[Mailbox]:
        """One session, such as that of a phone call. Raises `MailboxUnavailable`.

        *folder*: another one than that where new messages come (`domain.folders`); made at need.
        """
        ...

    async def counts(self, user: User) -> Counts:
        """`Mailbox.counts` without a session: one look. Raises `MailboxUnavailable`."""
        ...


class Courier(Protocol):
    """Brings a voice message to its owner's message store."""

    async def deliver(self, message: VoiceMessage, user: User, *, plain: bool = False) -> None:
        """Hand it over; on return it is on the target's disk.

        *plain* asks for the most harmless headers. Raises `DeliveryPostponed`, `DeliveryRefused`.
        """
        ...

    async def has(self, message: VoiceMessage, user: User) -> bool:
        """Is it there already (from an attempt whose end we did not see)?

        False where the target can never be asked; `DeliveryPostponed` where it cannot just now.
        """
        ...


class Mailer(Protocol):
    """Brings a mail that the system wrote to a user."""

    async def send(self, mail: bytes, recipient: Recipient, *, message_id: str) -> None:
        """Hand it over; the target has stored it when this returns.

        *message_id*, with angle brackets, is also in the mail. Raises `DeliveryPostponed`,
        `DeliveryRefused`.
        """
        ...


class MailNotQueued(Exception):
    """A mail could not be written or kept, so nobody will get it. The text says why."""


class Notices(Protocol):
    """Tells users by mail what they should know."""

    async def tell(
        self, user: User, mail: SystemMail, values: Mapping[str, object], *, occasion: str
    ) -> None:
        """Queue it durably; it goes out as soon as that is possible.

        *values* are what the templates of that mail need besides name, mailbox and number of the
        user. The same *occasion* (such as the time of a lock) is told once, however often it is
        asked for. Raises `MailNotQueued`.
        """
        ...


class Letters(Protocol):
    """Mails on their way, on the disk. Every method raises `MailNotQueued`."""

    async def prepare(self, letter: Letter) -> None:
        """Keep it back, durably, until it is decided that it goes out."""
        ...

    async def release(self, letter_id: str) -> None:
        """It goes out; harmless where it has gone already."""
        ...

    async def drop(self, letter_id: str) -> None:
        """It does not go out."""
        ...

    async def prepared(self) -> Sequence[Letter]:
        """What is kept back, also from before a crash."""
        ...

    async def waiting(self) -> Sequence[tuple[str, Attempts]]:
        """Ids of what is to be sent, oldest first."""
        ...

    async def letter(self, letter_id: str) -> Letter | None:
        """One that waits; None if it is gone."""
        ...

    async def postpone(self, letter_id: str, attempts: Attempts) -> None:
        """It could not be sent now."""
        ...

    async def hold(self, letter_id: str, attempts: Attempts) -> None:
        """It was refused for good: kept for the admin."""
        ...

    async def sent(self, letter_id: str) -> None:
        """It is where it should be."""
        ...

    async def was_sent(self, letter_id: str) -> bool:
        """Was it sent lately, is it on its way, or was it refused?"""
        ...

    async def sweep(self) -> None:
        """Forget what was sent long ago."""
        ...


class RawAttributes(Protocol):
    """What a directory holds of a user beside the fields of `Entry`."""

    async def attributes(self, user_id: str, names: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Values by name, in the spelling that was asked for. Raises `DirectoryUnavailable`."""
        ...


@dataclass(frozen=True)
class Whole:
    """What every part of a divided message gets."""

    audio: str
    """Path of a WAV file on the spool's file system; empty for none."""
    seconds: float
    with_original: bool = True


class Spool(Protocol):
    """The disk between the caller and the mailbox; states are directories (design §4).

    Every method that waits raises `SpoolFull` when the disk does not do what it should.
    """

    async def begin(self, facts: CallFacts) -> None:
        """Make the facts durable before the tone; again, when they have changed."""
        ...

    def recording_name(self, facts_id: str, take: int) -> str:
        """Under which name Asterisk shall record that take."""
        ...

    def recording_path(self, facts_id: str, take: int) -> Path:
        """Where that take lies; without extension, as Asterisk plays it."""
        ...

    async def inspect(self, facts_id: str, take: int) -> Take | None:
        """Length and speech of a take (its header mended if need be); None if there is no audio.

        Raises `RecordingUnreadable`.
        """
        ...

    def was_mended(self, facts_id: str, take: int) -> bool:
        """Did `inspect` find that Asterisk had died while writing it?"""
        ...

    async def attach(self, facts_id: str, source: Path) -> None:
        """Copy what is answered or forwarded beside the facts, durably."""
        ...

    async def keep(self, facts: CallFacts, take: int | None, *, partial: bool) -> VoiceMessage:
        """From here on it will be delivered: all on disk, fsynced. A mended take is partial.

        None instead of a take: what is attached goes without a word. Raises `RecordingUnreadable`.
        """
        ...

    async def divide(
        self, message: VoiceMessage, parts: Sequence[CallFacts], whole: "Whole"
    ) -> None:
        """Make each of *parts* a message that waits, too; those that there are already stay.

        The message itself waits until it is `done`; only then its parts can be forgotten.
        """
        ...

    async def set_aside(self, facts: CallFacts, take: int, reason: str) -> None:
        """Keep a take that cannot be read for a person to look at; the item stays open."""
        ...

    async def discard(self, facts_id: str) -> None:
        """Nothing was said: forget it."""
        ...

    async def unfinished(self) -> Sequence[tuple[CallFacts, Sequence[int]]]:
        """Facts and takes of calls that were never kept or discarded (after a crash).

        A call is left out while somebody holds the very facts it was begun with: its dialogue.
        """
        ...

    async def fallback_files(self) -> Sequence[FallbackFile]:
        """What the dialplan recorded by itself, oldest first."""
        ...

    async def fallback_id(self, name: str) -> str:
        """The id for the facts of that file: the same however often the import is begun."""
        ...

    async def import_fallback(self, name: str, facts: CallFacts) -> None:
        """Make that file the first take of an open item, in one step."""
        ...

    async def set_aside_fallback(self, name: str) -> None:
        """Keep a file whose name tells nothing for a person to look at."""
        ...

    async def waiting(self) -> Sequence[tuple[VoiceMessage, Attempts, bool]]:
        """What is to be delivered, oldest first; the flag tells that an attempt was begun."""
        ...

    async def mark_attempt(self, message: VoiceMessage) -> None:
        """Durable note that a delivery begins now."""
        ...

    async def clear_attempt(self, message: VoiceMessage, attempts: Attempts) -> None:
        """The attempt has ended without success; keep its history."""
        ...

    async def done(self, message: VoiceMessage) -> None:
        """Delivered."""
        ...

    async def hold(self, message: VoiceMessage, attempts: Attempts) -> None:
        """Refused for good: keep it for the admin."""
        ...

    async def held(self) -> Sequence[tuple[CallFacts, Attempts]]:
        """What was refused for good."""
        ...

    async def release(self, facts_id: str) -> None:
        """Try a held message again."""
        ...

    async def sweep(self, now: datetime) -> None:
        """Erase delivered audio after its grace period."""
        ...


class NotNow(Exception):
    """A mail cannot be acted upon just now; it shall be offered again. The text is for a log."""


class NotTaken(Exception):
    """A mail will never be acted upon; the text is for whoever has sent it."""


class MailDesk(Protocol):
    """Takes the mails that people send to the system itself (NOTIFY-06)."""

    def knows(self, address: str) -> bool:
        """Is it one of its addresses?"""
        ...

    async def take(self, mail: SiteMail) -> None:
        """Act upon it, or drop it; when this returns, that is done.

        Raises `NotNow`, `NotTaken`.
        """
        ...


class GreetingsUnavailable(Exception):
    """Greetings can neither be read nor written now. The text says why."""


class UnusableAudio(Exception):
    """What was recorded or uploaded cannot become a greeting. The text says what to do."""

    def __init__(self, text: str, flaw: str = "") -> None:
        super().__init__(text)
        self.flaw = flaw
        """In one word, such as ``too-long``; empty where there is none."""


class Greetings(Protocol):
    """The recorded greetings of all users, and of the site.

    Every method raises `GreetingsUnavailable`.
    """

    async def of(self, owner: str) -> Mapping[GreetingKey, Greeting]:
        """All that a user has (or the site, `domain.greetings.SITE`), also expired ones."""
        ...

    async def keep(
        self,
        key: GreetingKey,
        audio: Path,
        source: Source,
        *,
        expires: datetime | None = None,
    ) -> Greeting:
        """Make *audio* (any common format) the greeting, in place of an older one.

        Level and silence are put right; until it is durable the older one stays. Raises
        `UnusableAudio`.
        """
        ...

    async def set_expiry(self, key: GreetingKey, expires: datetime | None) -> Greeting | None:
        """Let it end then, or never; None if there is no such greeting."""
        ...

    async def delete(self, key: GreetingKey) -> bool:
        """Was there one?"""
        ...

    async def delete_all(self, owner: str) -> int:
        """Everything of an owner, the name included; how many there were."""
        ...

    async def global_mode(self) -> GlobalMode:
        """When the global greeting plays; `GlobalMode.OFF` where nobody has decided."""
        ...

    async def set_global_mode(self, mode: GlobalMode) -> None:
        """Decide it for the whole site; other controllers see it with the next call."""
        ...

    async def ending(
        self, owners: Collection[str], after: datetime, until: datetime
    ) -> Sequence[GreetingEnd]:
        """Which recordings of these owners end after the one moment and not after the other."""
        ...


class TellingsUnavailable(Exception):
    """It cannot be found out, or not be kept, what users were told. The text says why."""


class Tellings(Protocol):
    """What users were told, remembered by all nodes together.

    Occasions are names of at most 64 characters of ASCII. Every method raises
    `TellingsUnavailable`.
    """

    async def begun(self, now: datetime) -> datetime:
        """Since when users are told, in whole seconds: from *now* on where nobody has asked yet."""
        ...

    async def settled(self, occasions: Collection[str]) -> frozenset[str]:
        """Those of them that users were told of."""
        ...

    async def claim(self, occasion: str, now: datetime) -> bool:
        """Is it this node that tells it? No other one does so then, as long as this one lives."""
        ...

    async def tell(self, occasion: str) -> None:
        """It is on its way to the user."""
        ...

    async def sweep(self, now: datetime) -> None:
        """Forget what is too old to be told again."""
        ...


@dataclass(frozen=True)
class GreetingTake:
    """A recording of a greeting by telephone that nobody has decided to keep yet."""

    name: str
    """Under which Asterisk records it."""
    path: Path
    """Where it lies then; without suffix, as Asterisk plays it."""

    @property
    def file(self) -> Path:
        """The same as a file."""
        return self.path.with_name(f"{self.path.name}.wav")


class GreetingTakes(Protocol):
    """Recordings by telephone before they are greetings.

    Every method that waits raises `GreetingsUnavailable`.
    """

    def new(self) -> GreetingTake:
        """A place for one."""
        ...

    async def inspect(self, take: GreetingTake) -> Take | None:
        """Length and speech; None if there is no audio."""
        ...

    async def discard(self, take: GreetingTake) -> None:
        """Forget it; harmless where there is none."""
        ...


class NoOcr(Exception):
    """No fax can be read on this machine. The text says what to install."""


class FaxUnreadable(Exception):
    """A fax, or the rest of it, cannot be read. The text says why."""


class MailReader(Protocol):
    """Finds out what is said of a mail, whoever wrote it."""

    def read(self, mail: Path | bytes, languages: Sequence[str]) -> AsyncGenerator[Utterance, None]:
        """Sender, subject, text and notices, the first of it at once; raises nothing for a mail.

        *languages* are those that can be spoken, the listener's own first.
        """
        ...


@dataclass(frozen=True)
class FaxPage:
    """One page of a fax."""

    number: int
    """From 1."""
    text: str
    """Empty where there is none."""
    of: int | None = None
    """How many there are, if that is known."""


class FaxReader(Protocol):
    """Finds out what is written on a fax that came by mail."""

    def pages(self, mail: Path) -> AsyncGenerator[FaxPage, None]:
        """Each page as soon as it is recognised.

        Raises `NoOcr`; `FaxUnreadable`, also after some pages.
        """
        ...


class VoiceUnavailable(Exception):
    """No text can be spoken now. The text says what is missing."""


class Unspeakable(Exception):
    """This text cannot be spoken. The text says what to change."""


class Voice(Protocol):
    """Speech synthesis."""

    async def spoken(self, text: str, language: str) -> Path:
        """A sound file that says it. Raises `VoiceUnavailable`, `Unspeakable`."""
        ...


class NoCall(Exception):
    """A telephone was not called, nobody answered, or it was in vain. The text says why."""


class Telephones(Protocol):
    """Calls people, from any process; the running controller serves the calls."""

    async def call(
        self,
        destination: Allowed,
        arguments: str,
        *,
        chain: Chain = ...,
        caller: Caller = ...,
        endpoint: str = ...,
    ) -> str:
        """Back when it is over, with what the controller has reported last (or nothing).

        *arguments* tell the controller what the call is for; mailboxes of the *chain* do not take
        it; *caller* is shown on the display. *endpoint* tells how to dial a ``{number}`` through
        another location than usual (NOTIFY-07). When this is cancelled the call ends. Raises
        `NoCall`.
        """
        ...


class Lamps(Protocol):
    """Message-waiting lamps of phones."""

    async def show(self, mailbox: str, new: int, old: int) -> None:
        """Tell every phone of the mailbox. Errors are the adapter's to retry or log."""
        ...


class NoticeNotKept(Exception):
    """A notice could not be kept, so it is not on its way; it will be tried again. The text says
    why.
    """


class NoticeBookUnavailable(Exception):
    """What is remembered of notices can neither be read nor written now. The text says why."""


class NoticeBook(Protocol):
    """What was counted and announced last, of every mailbox; several controllers share it.

    Every method raises `NoticeBookUnavailable`.
    """

    async def note(
        self,
        user_id: str,
        decide: Callable[[State | None], tuple[State, Announcement | None]],
    ) -> State:
        """Change what is remembered, and keep what is to be announced, in one step.

        As if nobody else were there: *decide* may be called again, and in another thread. Durable
        when this returns what is remembered now.
        """
        ...

    async def taken(self, announcement_id: str, channel: Channel) -> None:
        """That channel has its notice; with the last one the announcement is forgotten."""
        ...

    async def unfinished(self, node: str, before: datetime) -> Sequence[Announcement]:
        """What that controller has left, and what others have left since before that time."""
        ...

    async def change(
        self, change: Callable[[Tally], Tally], user_ids: Collection[str] | None = None
    ) -> int:
        """Change every topic of those users, or of all; how many users that were.

        Users of whom nothing is remembered are left out.
        """
        ...

    async def changed_since(self, mark: int) -> tuple[int, Sequence[str]]:
        """Ids of users who were changed by `change` after that *mark*, and the mark of now."""
        ...


class NoticeRefused(NoticeNotKept):
    """A limit forbids that notice for good, so it is not tried again. The text says why."""


class NoticeOutlet(Protocol):
    """One way to tell users of new messages (NOTIFY-03)."""

    @property
    def channel(self) -> Channel:
        """Which one it is."""
        ...

    def obstacle(self, user: User) -> str:
        """Why it cannot be used for that user (NOTIFY-04); empty: it can.

        A short English sentence such as “no mobile number”.
        """
        ...

    async def announce(self, user: User, notice: Notice) -> None:
        """Keep it durably; sending and trying again is a queue's business.

        A notice of an id that was kept before is not kept again. Raises `NoticeNotKept`, also as
        `NoticeRefused`.
        """
        ...


class JournalUnavailable(Exception):
    """The journal can neither be searched nor changed now. The text says why."""


class Journal(Protocol):
    """Where everybody notes what has happened."""

    async def note(self, entry: JournalEntry) -> None:
        """Never raises, and never waits: it is written later, or lost with a line in the log.

        What is told of the same id becomes one entry (`domain.journal.merged`).
        """
        ...


class JournalStore(Protocol):
    """What the journal remembers. Every method raises `JournalUnavailable`."""

    async def write(self, entries: Sequence[JournalEntry]) -> None:
        """Durably, each merged with what is there of the same id."""
        ...

    async def entry(self, entry_id: str) -> JournalEntry | None:
        """One of them."""
        ...

    async def page(
        self,
        viewer: Viewer,
        search: Search,
        *,
        numbers: Collection[str] = (),
        names: Sequence[str] = (),
        after: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> Sequence[JournalEntry]:
        """What *viewer* may see of it, the newest first, all older than *after*.

        That is the time and the id of the last one that was seen. *numbers* and *names* are terms
        of `domain.journal`: one of the former, all of the latter as beginnings.
        """
        ...

    async def oldest(self, before: datetime, limit: int) -> Sequence[JournalEntry]:
        """The oldest entries that began before that time."""
        ...

    async def remove(self, ids: Sequence[str]) -> int:
        """How many there were."""
        ...

    async def shorten(self, before: datetime, limit: int) -> int:
        """Shorten the numbers of so many entries that began before that time; how many it were."""
        ...


class NoticeJobs(Protocol):
    """Notices on their way, on the disk. Every method raises `NoticeNotKept`."""

    async def add(self, job: NoticeJob) -> bool:
        """Keep it, durably; False for one that was kept before."""
        ...

    async def waiting(self) -> Sequence[str]:
        """Ids of what is to be sent."""
        ...

    async def read(self, job_id: str) -> tuple[NoticeJob, Attempts] | None:
        """One that waits, with its history; None if it is gone."""
        ...

    async def postpone(self, job: NoticeJob, history: Attempts) -> None:
        """It could not be sent now."""
        ...

    async def hold(self, job: NoticeJob, history: Attempts) -> None:
        """It was refused for good, or given up: kept for the admin."""
        ...

    async def over(self, job_id: str) -> None:
        """Nothing is left to do; that id is not kept again."""
        ...

    async def is_known(self, job_id: str) -> bool:
        """Does it wait, was it refused, or was it over lately?"""
        ...

    async def sweep(self) -> None:
        """Forget what was over long ago."""
        ...


class SmsGateway(Protocol):
    """Brings short messages to telephones: by mail, by HTTP; a modem or SMPP would be another."""

    async def send(self, message: ShortMessage) -> None:
        """Hand it over; the gateway has taken it when this returns.

        Raises `DeliveryPostponed`, `DeliveryRefused`.
        """
        ...


class CallLogUnavailable(Exception):
    """What is remembered of calls can be neither read nor written now. The text says why."""


class LogsUnavailable(Exception):
    """The program's own log cannot be read. The text says why, and what to do."""


class Logs(Protocol):
    """The program's own log, wherever it is written to."""

    async def newest(self, query: LogQuery, *, after: str = "", limit: int = 200) -> LogPage:
        """At most *limit* lines, the newest first; *after* is the ``older`` of the page before.

        One look goes back a bounded way only. Raises `LogsUnavailable`.
        """
        ...


class LiveCallsUnavailable(Exception):
    """It cannot be told or found out now which calls go on. The text says why."""


class ContactsUnavailable(Exception):
    """Nobody can say just now who is behind a number. The text says why."""


class Contacts(Protocol):
    """Who is behind a number, beyond the users of the house (MISSED-02)."""

    async def contact_of(self, number: str) -> Contact | None:
        """The contact with that E.164 number or extension. Raises `ContactsUnavailable`."""
        ...


class PortalUnavailable(Exception):
    """Sessions or passwords of the portal cannot be read or kept. The text says why."""


class PasswordJudge(Protocol):
    """Knows who has which password."""

    async def accepts(self, user_id: str, password: str) -> bool:
        """Is it the user's? An empty id is nobody's, and is judged with the same effort.

        An empty password never fits. Raises `DirectoryUnavailable`.
        """
        ...


class RingEvents(Protocol):
    """What the telephone system tells of its phones."""

    def listen(self) -> AsyncGenerator[RingEvent, None]:
        """Everything from now on; after a gap `Lost` comes first. Ends only when it is closed."""
        ...
