"""What a mail in the message store is: recognised by its header alone."""

import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from vm_ari.adapters.mail_reading import Headers, decoded, display_name, media_type, parse_headers
from vm_ari.domain.callers import Caller, printable
from vm_ari.domain.kind_rules import KindRule
from vm_ari.domain.messages import MessageKind

OWN = "X-VM-ARI-"
"""Prefix of this system's own header fields."""
SIGNED = (
    "Call-ID",
    "Caller",
    "Caller-Name",
    "Called",
    "Mailbox",
    "Duration",
    "Partial",
    "Urgent",
)
"""The own fields that the signature covers, in this order, after the Message-ID.

The caller's name is signed as it stands in the unfolded header, that is RFC 2047 encoded."""
LONGEST_SECONDS = 86_400.0
_NUMBER = re.compile(r"\+?[0-9]{1,20}")
_CONTEXTS = {
    "voice-message": MessageKind.VOICE,
    "fax-message": MessageKind.FAX,
    "pager-message": MessageKind.TEXT,
}
"""RFC 3458."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One message as its header describes it."""

    kind: MessageKind
    sent: datetime | None
    """UTC; None where the Date field is missing or senseless."""
    caller: Caller
    """Of an e-mail: its sender's name or address, without a number."""
    seconds: float
    urgent: bool
    partial: bool
    genuine: bool
    """Its own fields carry our signature (or no key was given to judge it)."""


def summary_of(
    header: bytes, keys: Sequence[bytes] = (), rules: Sequence[KindRule] = ()
) -> Summary:
    """Read the start of a message, up to 64 KiB; whatever it holds, this does not raise.

    What standard fields leave open the site's *rules* decide. With *keys* (see
    `KeyRing.signing_keys`) own fields without a valid signature are ignored: a forged mail then
    still counts as what its standard fields say, but gives no number.
    """
    headers = parse_headers(header)
    genuine = _is_genuine(headers, keys)
    if not genuine:
        headers = {k: v for k, v in headers.items() if not k.startswith(OWN.lower())}
    kind = _kind(headers, rules)
    return Summary(
        kind=kind,
        sent=_date(headers.get("date", "")),
        caller=_caller(headers, kind),
        seconds=_seconds(headers) if kind is MessageKind.VOICE else 0.0,
        urgent=_is_urgent(headers),
        partial=headers.get("x-vm-ari-partial") == "yes",
        genuine=genuine,
    )


def signature(key: bytes, message_id: str, values: Sequence[str]) -> str:
    """HMAC-SHA256 over Message-ID and the `SIGNED` fields' values, in hexadecimal."""
    signed = json.dumps([message_id, *values]).encode()
    return hmac.digest(key, signed, "sha256").hex()


def _is_genuine(headers: Headers, keys: Sequence[bytes]) -> bool:
    given = headers.get("x-vm-ari-signature", "").encode()
    if not keys:
        return "x-vm-ari-duration" in headers
    values = [headers.get((OWN + name).lower(), "") for name in SIGNED]
    message_id = headers.get("message-id", "")
    right = [signature(key, message_id, values).encode() for key in keys]
    return any(hmac.compare_digest(given, one) for one in right)


def _kind(headers: Headers, rules: Sequence[KindRule]) -> MessageKind:
    """Standard fields first. Outlook's X-VoiceMessageDuration is found in ordinary mail too."""
    content_class = headers.get("content-class", "").lower()
    if context := headers.get("message-context", "").lower():
        return _CONTEXTS.get(context) or _by_rule(rules, headers) or MessageKind.MAIL
    if content_class.startswith("voice") or media_type(headers)[0] == "multipart/voice-message":
        return MessageKind.VOICE
    if content_class.startswith("fax"):
        return MessageKind.FAX
    own = ("x-asterisk-vm-", OWN.lower())
    if any(name.startswith(own) for name in headers):
        return MessageKind.VOICE
    return _by_rule(rules, headers) or MessageKind.MAIL


def _by_rule(rules: Sequence[KindRule], headers: Headers) -> MessageKind | None:
    """What the first rule of the site says that matches."""
    said = ((rule, decoded(headers.get(rule.header.lower(), ""))) for rule in rules)
    return next((rule.kind for rule, value in said if rule.matches(value)), None)


def _caller(headers: Headers, kind: MessageKind) -> Caller:
    sender = printable(display_name(headers.get("from", "")))
    if kind is not MessageKind.VOICE:
        return Caller(name=sender)
    if "x-vm-ari-duration" in headers:
        name = printable(decoded(headers.get("x-vm-ari-caller-name", "")))
        return Caller(_number(headers.get("x-vm-ari-caller", "")), name)
    number = _first(headers, "x-asterisk-vm-caller-id-num", "x-callingtelephonenumber")
    name = _first(headers, "x-asterisk-vm-caller-id-name", "x-voicemessagesendername")
    return Caller(_number(number), printable(decoded(name)) or sender)


def _first(headers: Headers, *names: str) -> str:
    return next((headers[name] for name in names if headers.get(name)), "")


def _number(text: str) -> str:
    return text if _NUMBER.fullmatch(text) else ""


def _seconds(headers: Headers) -> float:
    foreign = ("x-asterisk-vm-duration", "content-duration", "x-voicemessageduration")
    text = _first(headers, "x-vm-ari-duration", *foreign)
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text):
        return 0.0
    return min(float(text), LONGEST_SECONDS)


def _is_urgent(headers: Headers) -> bool:
    importance = headers.get("importance", "").lower()
    return importance == "high" or headers.get("x-priority", "")[:1] in {"1", "2"}


def _date(text: str) -> datetime | None:
    try:
        when = parsedate_to_datetime(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
