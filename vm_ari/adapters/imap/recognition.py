"""What the messages of a folder are: asked of the server, judged by their headers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vm_ari.adapters.imap.session import Fetched, Opened, Session
from vm_ari.adapters.mail_reading import HEADER_LIMIT
from vm_ari.adapters.mail_summary import OWN, SIGNED, Summary, summary_of
from vm_ari.domain.kind_rules import KindRule
from vm_ari.domain.messages import MessageKind, StoredMessage

KEYWORD = "$VoiceMessage"
"""Set on voice messages that were recognised once: a search for it never opens a message."""
MOST_READ = 1000
"""Of one kind at most so many messages are read and listed, the newest; all are counted."""
MOST_MAILS = 200
"""The same for what is no voice message: nobody hears more of them in one call."""
PIECE = 200
"""Headers fetched in one command."""
_STANDARD = (
    *("Message-ID", "Date", "From", "Content-Type", "Content-Duration", "Importance"),
    *("X-Priority", "Message-Context", "Content-Class"),
    *("X-CallingTelephoneNumber", "X-VoiceMessageSenderName", "X-VoiceMessageDuration"),
    *("X-Asterisk-VM-Context", "X-Asterisk-VM-Extension", "X-Asterisk-VM-Duration"),
    *("X-Asterisk-VM-Caller-ID-Num", "X-Asterisk-VM-Caller-ID-Name"),
)
_FIELDS = (*_STANDARD, *(OWN + name for name in (*SIGNED, "Signature")))
_CONTEXT = ("HEADER", "Message-Context", "voice-message")
_CLASS = ("HEADER", "Content-Class", "voice")
_VPIM = ("HEADER", "Content-Type", "multipart/voice-message")
_ASTERISK = ("HEADER", "X-Asterisk-VM-Extension", "")
VOICE: tuple[Any, ...] = ("OR", "OR", *_CONTEXT, *_CLASS, "OR", *_VPIM, *_ASTERISK)
"""The server's part of `mail_summary`: it finds all of that kind, and some others."""
_FAX = ("OR", "HEADER", "Message-Context", "fax-message", "HEADER", "Content-Class", "fax")
_TEXT = ("HEADER", "Message-Context", "pager-message")


@dataclass(frozen=True)
class Recognition:
    """How kinds are told from each other at this site."""

    keys: Sequence[bytes] = ()
    rules: Sequence[KindRule] = ()

    def summary(self, header: bytes) -> Summary:
        """See `summary_of`."""
        return summary_of(header, self.keys, self.rules)

    @property
    def header(self) -> str:
        """The item to fetch: everything that a summary is made of."""
        fields = dict.fromkeys([*_FIELDS, *(rule.header for rule in self.rules)])
        return f"BODY.PEEK[HEADER.FIELDS ({' '.join(fields)})]<0.{HEADER_LIMIT}>"

    def criteria(self, kind: MessageKind) -> tuple[Any, ...]:
        """What finds all of that kind, and some others; empty: only looking at them tells."""
        match kind:
            case MessageKind.VOICE:
                usual = VOICE
            case MessageKind.FAX:
                usual = _FAX
            case MessageKind.TEXT:
                usual = _TEXT
            case MessageKind.MAIL:
                return ()
        for rule in self.rules:
            if rule.kind is kind:
                if not rule.telling:
                    return ()
                usual = ("OR", *usual, "HEADER", rule.header, rule.telling)
        return usual

    def either(self, kind: MessageKind, *others: MessageKind) -> tuple[Any, ...]:
        """The same for several kinds."""
        one = self.criteria(kind)
        if not others:
            return one
        two = self.either(*others)
        return ("OR", *one, *two) if one and two else ()


@dataclass(frozen=True)
class Reader:
    """Reads headers, and remembers in *known* (by UID) what they said: they never change."""

    known: dict[int, Summary]
    recognition: Recognition

    def summaries(
        self, session: Session, uids: Sequence[int], most: int = MOST_READ
    ) -> Mapping[int, Summary]:
        """Of those that are still there, at most so many, the newest."""
        wanted = newest(uids, most)
        missing = [uid for uid in wanted if uid not in self.known]
        for piece in pieces(missing):
            for uid, fetched in session.fetch(piece, [self.recognition.header]).items():
                self.known[uid] = self.recognition.summary(header_in(fetched))
        return {uid: self.known[uid] for uid in wanted if uid in self.known}

    def of_kind(
        self,
        session: Session,
        uids: Sequence[int],
        kinds: set[MessageKind],
        most: int = MOST_READ,
    ) -> dict[int, Summary]:
        """Those that their headers really say to be."""
        found = self.summaries(session, uids, most)
        return {uid: summary for uid, summary in found.items() if summary.kind in kinds}

    def stored(
        self, session: Session, chosen: Mapping[int, Summary]
    ) -> Iterator[tuple[int, StoredMessage]]:
        """As a list shows them; the uid is left empty."""
        for piece in pieces(list(chosen)):
            for uid, fetched in session.fetch(piece, ["FLAGS", "INTERNALDATE"]).items():
                yield uid, _stored(chosen[uid], fetched)


def heard_voice(
    keyword: bool | None, lately: Sequence[str] = (), voice: Sequence[Any] = VOICE
) -> list[Any]:
    """Criteria: heard ones with the *keyword*, or (False) among *lately* those without it yet.

    None, where the server keeps no keywords: all among *lately*.
    """
    heard = ["SEEN", "UNDELETED"]
    match keyword:
        case True:
            return [*heard, "KEYWORD", KEYWORD]
        case False:
            return [*lately, *heard, "UNKEYWORD", KEYWORD, *voice]
        case None:
            return [*lately, *heard, *voice]


def last_ones(opened: Opened, count: int) -> Sequence[str]:
    """The newest messages of a folder, as a set; found without looking at any."""
    return [f"{max(1, opened.exists - count + 1)}:*"]


def newest(uids: Sequence[int], most: int = MOST_READ) -> list[int]:
    """UIDs only ever grow."""
    return sorted(uids)[-most:]


def pieces(uids: Sequence[int]) -> Iterator[Sequence[int]]:
    """One command's share each."""
    for start in range(0, len(uids), PIECE):
        yield uids[start : start + PIECE]


def header_in(fetched: Fetched) -> bytes:
    """The header fields in an answer, whatever way the server writes their names."""
    for key, value in fetched.items():
        if key.startswith(b"BODY[HEADER") and isinstance(value, bytes):
            return value
    return b""


def is_flagged(fetched: Fetched, flag: str) -> bool:
    """Flags are compared without regard to case."""
    flags = fetched.get(b"FLAGS", ())
    return flag.lower().encode() in {bytes(one).lower() for one in flags}


def _stored(summary: Summary, fetched: Fetched) -> StoredMessage:
    arrived = fetched.get(b"INTERNALDATE")
    fallback = arrived.astimezone(UTC) if isinstance(arrived, datetime) else datetime.now(UTC)
    return StoredMessage(
        uid="",
        kind=summary.kind,
        received=summary.sent or fallback,
        caller=summary.caller,
        seconds=summary.seconds,
        urgent=summary.urgent or is_flagged(fetched, "\\Flagged"),
        new=not is_flagged(fetched, "\\Seen"),
        genuine=summary.genuine,
    )
