"""What is said of a message besides its content: number, kind, date, sender (INBOX-03)."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from vm_ari.dialogues.desk import Desk
from vm_ari.domain.messages import MessageKind, StoredMessage
from vm_ari.domain.numbers import extension_of
from vm_ari.domain.settings import InformationOrder
from vm_ari.domain.users import User
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Duration, Moment, Number, Recorded, Sentence

log = structlog.get_logger("vm_ari.calls")


async def around_content(
    message: StoredMessage, number: int, user: User, desk: Desk, *, sender: Sentence | None = None
) -> tuple[Sentence, Sentence]:
    """What is said before the content, and what after it, in the order of the site.

    The *sender* is said so; None: by name or number.
    """
    urgent: Sentence = (P.URGENT,) if message.urgent else ()
    heading: Sentence = (P.MESSAGE_NUMBER, Number(number), _kind(message), *urgent)
    date = (_moment(message, user, desk),)
    sender = await _sender(message, user, desk) if sender is None else sender
    match desk.rules.information_order:
        case InformationOrder.DATE_SENDER_CONTENT:
            return (*heading, *date, *sender), ()
        case InformationOrder.CONTENT_DATE_SENDER:
            return heading, (*date, *sender)
        case InformationOrder.DATE_CONTENT_SENDER:
            return (*heading, *date), sender


async def details(
    message: StoredMessage, user: User, desk: Desk, *, sender: Sentence | None = None
) -> Sentence:
    """When, who and how long, whatever was said before; *sender* as in `around_content`."""
    received = (P.RECEIVED, _moment(message, user, desk))
    if message.kind is not MessageKind.VOICE:
        return (*received, *(sender or ()))
    length = (P.LENGTH, Duration(round(message.seconds)))
    return (*received, *await _sender(message, user, desk), *length)


def _kind(message: StoredMessage) -> P:
    return P(f"kind/{message.kind.value}")


def _moment(message: StoredMessage, user: User, desk: Desk) -> Moment:
    zone = _zone(user)
    now = desk.clock.now().astimezone(zone)
    try:
        return Moment(message.received.astimezone(zone), now)
    except OverflowError:  # the Date of a mail can be in the year 1 or 9999
        return Moment(message.received, now)


def _zone(user: User) -> tzinfo:
    try:
        return ZoneInfo(user.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        log.warning("unknown time zone", user=user.id)
        return UTC


async def _sender(message: StoredMessage, user: User, desk: Desk) -> Sentence:
    """By name where somebody can say it, else by number."""
    if name := await desk.sender_name(user, message.caller):
        return (P.FROM_NAME, Recorded(str(name)))
    number = message.caller.number
    if not number:
        return (P.FROM_UNKNOWN,)
    own = (*user.numbers, "")[0]
    home = desk.rules.site_for(own)  # an extension of another site says nothing here
    return (P.FROM, Digits(extension_of(number, home) or number))
