"""Who somebody is, the token that is used, and what a caller hears now."""

import asyncio

from pydantic import Field

from vm_ari.domain.answering import decide
from vm_ari.domain.entries import Entry
from vm_ari.domain.login_state import state_of
from vm_ari.domain.pin import is_locked
from vm_ari.ports import MailboxUnavailable
from vm_ari.web.api.models import Asked, Line, Told
from vm_ari.web.api.operation import Answer, Ask, Operation
from vm_ari.web.pages.overview import COUNT_SECONDS, situation_now
from vm_ari.web.visit import Visit


class Person(Told):
    """A user's account."""

    id: str
    name: str
    given: str
    surname: str
    mail: str
    mailbox: str = Field(description="The number under which lamp and login know the mailbox.")
    numbers: list[str] = Field(description="Direct numbers, E.164.")
    organisation: str = Field(description="Id; empty: none.")
    role: str = Field(description="user, administrator or operator: what the token leaves of it.")
    enabled: bool = Field(description="Has the user voice mail?")
    language: str
    time_zone: str
    has_pin: bool
    locked: bool = Field(description="Is the telephone login locked by wrong PINs?")


class Reachability(Asked):
    """Who calls."""

    caller: Line = Field(default="", description="Number of the caller; empty: a stranger.")


class HeardNow(Told):
    """What a caller hears now, and why."""

    greeting: str = Field(description="Which rung of the ladder plays, such as own-greeting.")
    why: str
    language: str
    profile: str | None = Field(description="The one that answers; null: none is asked.")
    profile_why: str
    takes_message: bool
    transfer: str = Field(description="Whom callers can be connected to; empty: nobody.")


class CountsTold(Told):
    """How many messages lie in the mailbox."""

    new_voice: int
    heard_voice: int
    urgent_voice: int = Field(description="Of the new ones.")
    new_other: int = Field(description="E-mails, faxes and SMS.")


async def show(ask: Ask) -> Answer:
    """The account."""
    return await person(ask.visit, ask.visit.owner)


async def person(visit: Visit, entry: Entry) -> Person:
    """As the directory has it."""
    user, parts = await visit.parts.user_of(entry), visit.parts
    return Person(
        id=entry.id,
        name=user.name,
        given=entry.given,
        surname=entry.surname,
        mail=entry.mail,
        mailbox=entry.mailbox,
        numbers=list(entry.numbers),
        organisation=entry.organisation,
        role=parts.rights.role_of(entry.id).name.lower(),
        enabled=user.voice_mail_enabled,
        language=user.language,
        time_zone=user.time_zone,
        has_pin=state_of(entry).has_pin,
        locked=is_locked(entry.pin_failures, parts.users.house.allowed_failures),
    )


async def heard_now(ask: Ask) -> Answer:
    """As the overview shows it."""
    answer = decide(await situation_now(ask.visit, ask.asked(Reachability).caller))
    return HeardNow(
        greeting=answer.greeting.rung.name.lower().replace("_", "-"),
        why=answer.greeting.steps[-1].reason,
        language=answer.greeting.language.language,
        profile=answer.active.profile.value if answer.active else None,
        profile_why=answer.active.reason if answer.active else "",
        takes_message=answer.takes_message.yes,
        transfer=answer.transfer.number,
    )


async def counts(ask: Ask) -> Answer:
    """Asked of the message store. Raises `MailboxUnavailable`, TimeoutError."""
    store = ask.visit.parts.mailboxes
    if store is None:
        raise MailboxUnavailable("there is no message store")
    async with asyncio.timeout(COUNT_SECONDS), store.open(ask.visit.user) as mailbox:
        found = await mailbox.counts()
    return CountsTold(
        new_voice=found.new_voice,
        heard_voice=found.heard_voice,
        urgent_voice=found.urgent_voice,
        new_other=found.new_other,
    )


OPERATIONS = (
    Operation("showUser", "GET", "", show, "The account of a user", Person, state=show),
    Operation(
        "showWhatCallersHear",
        "GET",
        "now",
        heard_now,
        "What a caller hears now, and why",
        HeardNow,
        asks=Reachability,
    ),
    Operation("countMessages", "GET", "counts", counts, "How many messages there are", CountsTold),
)
