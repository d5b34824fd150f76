"""Voice messages: listed, heard, marked, deleted, brought back, played on a phone (STORE-05)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal

import structlog
from pydantic import Field
from starlette.responses import Response

from vm_ari.domain.messages import StoredMessage
from vm_ari.domain.portal_rights import Feature
from vm_ari.ports import MailboxUnavailable, MessageGone, Unplayable
from vm_ari.services.own_messages import OwnMessages, Shown
from vm_ari.services.user_calls import Progress
from vm_ari.web.api.models import Asked, Given, Line, Listed, Paged, Told, following
from vm_ari.web.api.operation import Answer, Ask, Operation
from vm_ari.web.api.problems import Problem, invalid, not_there
from vm_ari.web.sound import WAV, sound_answer
from vm_ari.web.user_parts import UserParts
from vm_ari.web.visit import Visit, written_id

log = structlog.get_logger("vm_ari.portal")

LONGEST_SEARCH = 60


class MessageTold(Told):
    """A voice message."""

    id: str = Field(description="For addresses, as it is written there.")
    received: datetime
    caller_number: str
    caller_name: str
    seconds: float
    urgent: bool
    new: bool


class MessageList(Listed[MessageTold]):
    """Messages, the newest first."""


class MessageText(Told):
    """What is written around it."""

    text: str = Field(description="Who called when, and the transcript where there is one.")


class InFolder(Asked):
    """Where it lies."""

    folder: Line = Field(default="", description="As /folders has it; empty: where new ones come.")


class MessageSearch(Paged, InFolder):
    """Which messages."""

    show: Shown = Shown.ALL
    find: str = Field(default="", max_length=LONGEST_SEARCH, description="In name or number.")


class MessageGiven(Given):
    """What becomes of it."""

    new: bool = Field(description="New again (the lamp follows), or heard.")


class FolderGiven(Given):
    """Where it goes."""

    to: Line = Field(description="As /folders has it; empty: back to where new ones come.")


class FolderList(Told):
    """Where messages can be put away."""

    folders: list[str]


class PlayGiven(Given):
    """Where it is heard."""

    phone: Line = Field(description="One of the user's own numbers, E.164.")


class CallTold(Told):
    """How the last call goes that was asked for."""

    progress: Literal["calling", "done", "in-vain"] | None = Field(
        description="null: none is remembered; how a call has ended is told once."
    )


async def listed(ask: Ask) -> Answer:
    """A page."""
    asked, messages = ask.asked(MessageSearch), _messages(ask.visit)
    folder = _folder(ask, asked.folder)
    page = await messages.page(ask.visit.user, asked.show, asked.find, asked.after, folder=folder)
    return MessageList(items=[_told(one) for one in page.messages], next=following(page.older))


async def folders(ask: Ask) -> Answer:
    """Those of the site."""
    return FolderList(folders=list(_messages(ask.visit).folders))


async def show(ask: Ask) -> Answer:
    """One."""
    with _there():
        return _told(await _messages(ask.visit).find(ask.visit.user, *_place(ask)))


async def sound(ask: Ask) -> Answer:
    """Its audio, or the part that is asked for."""
    with _there():
        file = await _messages(ask.visit).sound(ask.visit.user, *_place(ask))
    return await sound_answer(ask.visit.request, file)


async def text(ask: Ask) -> Answer:
    """The mail that brought it."""
    with _there():
        found = await _messages(ask.visit).text(ask.visit.user, *_place(ask))
    return MessageText(text=found)


async def mark(ask: Ask) -> Answer:
    """Heard, or new again."""
    wanted = ask.given(MessageGiven).new
    with _there():
        await _messages(ask.visit).mark(ask.visit.user, *_place(ask), new=wanted)
    return _done(ask, "new" if wanted else "heard")


async def move(ask: Ask) -> Answer:
    """Put away, or taken back."""
    to, place = _folder(ask, ask.given(FolderGiven).to, "body.to"), _place(ask)
    if to == ask.asked(InFolder).folder:
        raise invalid("body.to", "It lies there already.")
    with _there():
        await _messages(ask.visit).move(ask.visit.user, *place, to=to)
    return _done(ask, "move")


async def delete(ask: Ask) -> Answer:
    """To where deleted messages lie."""
    with _there():
        await _messages(ask.visit).delete(ask.visit.user, *_place(ask))
    return _done(ask, "delete")


async def undelete(ask: Ask) -> Answer:
    """Back, as it was."""
    with _there():
        await _messages(ask.visit).undelete(ask.visit.user, ask.part("uid"))
    return _done(ask, "undelete")


async def play(ask: Ask) -> Answer:
    """On one of the user's own telephones only: nobody else's rings for somebody's request."""
    visit, number = ask.visit, ask.given(PlayGiven).phone
    parts = _parts(visit)
    with _there():
        message = await _messages(visit).find(visit.user, ask.part("uid"))
    play_on = parts.play
    if play_on is None or number not in visit.user.numbers:
        raise invalid("body.phone", "Write one of the user's own numbers, as /me shows them.")
    if not parts.calls.begin(visit.user.id, lambda: play_on.play(visit.user, message.uid, number)):
        raise Problem("busy", "The user is being called already; wait until that call is over.")
    log.info("play on phone asked for", user=visit.user.id, by=visit.me.entry.id)
    return CallTold(progress=Progress.CALLING.value)


async def call_state(ask: Ask) -> Answer:
    """Of messages and of greetings."""
    progress = _parts(ask.visit).calls.tell(ask.visit.user.id)
    return CallTold(progress=progress.value if progress else None)


def _told(message: StoredMessage) -> MessageTold:
    return MessageTold(
        id=written_id(message.uid),
        received=message.received,
        caller_number=message.caller.number,
        caller_name=message.caller.name,
        seconds=message.seconds,
        urgent=message.urgent,
        new=message.new,
    )


def _done(ask: Ask, what: str) -> Answer:
    visit = ask.visit
    log.info("message changed", user=visit.user.id, by=visit.me.entry.id, what=what)
    return Response(status_code=204)


@contextmanager
def _there() -> Iterator[None]:
    """Raises `Problem` for a message that is gone, or cannot be heard."""
    try:
        yield
    except Unplayable:
        raise not_there("sound") from None
    except MessageGone:
        raise not_there("message") from None


def _place(ask: Ask) -> tuple[str, str]:
    """Which message, and in which folder. Raises `Problem`."""
    return ask.part("uid"), _folder(ask, ask.asked(InFolder).folder)


def _folder(ask: Ask, name: str, where: str = "query.folder") -> str:
    """Raises `Problem` for one that the site has not."""
    if name and name not in _messages(ask.visit).folders:
        raise invalid(where, "There is no such folder: see /folders.")
    return name


def _parts(visit: Visit) -> UserParts:
    """Raises `MailboxUnavailable`."""
    if (parts := visit.part(UserParts)) is None:
        raise MailboxUnavailable("there is no message store")
    return parts


def _messages(visit: Visit) -> OwnMessages:
    """Raises `MailboxUnavailable`."""
    if (messages := _parts(visit).messages) is None:
        raise MailboxUnavailable("there is no message store")
    return messages


_ONE = "messages/{uid}"
OPERATIONS = (
    Operation(
        "listMessages",
        "GET",
        "messages",
        listed,
        "Voice messages, the newest first",
        MessageList,
        asks=MessageSearch,
    ),
    Operation("listFolders", "GET", "folders", folders, "Where messages can lie", FolderList),
    Operation(
        "showMessage",
        "GET",
        _ONE,
        show,
        "One voice message",
        MessageTold,
        asks=InFolder,
        state=show,
    ),
    Operation(
        "moveMessage",
        "POST",
        f"{_ONE}/move",
        move,
        "Put a message into another folder",
        takes=FolderGiven,
        asks=InFolder,
        status=204,
        feature=Feature.MESSAGES,
    ),
    Operation(
        "markMessage",
        "PATCH",
        _ONE,
        mark,
        "Mark a message as heard or new",
        takes=MessageGiven,
        asks=InFolder,
        status=204,
        feature=Feature.MESSAGES,
    ),
    Operation(
        "deleteMessage",
        "DELETE",
        _ONE,
        delete,
        "Delete a message",
        asks=InFolder,
        status=204,
        feature=Feature.MESSAGES,
        about="It can be brought back for ten minutes.",
    ),
    Operation(
        "undeleteMessage",
        "POST",
        f"{_ONE}/undelete",
        undelete,
        "Bring a deleted message back",
        status=204,
        feature=Feature.MESSAGES,
    ),
    Operation(
        "hearMessage", "GET", f"{_ONE}/sound", sound, "What was said", media=WAV, asks=InFolder
    ),
    Operation(
        "readMessage",
        "GET",
        f"{_ONE}/text",
        text,
        "Who called, and the transcript",
        MessageText,
        asks=InFolder,
    ),
    Operation(
        "playMessage",
        "POST",
        f"{_ONE}/play",
        play,
        "Have a message played on one of the user's telephones",
        CallTold,
        takes=PlayGiven,
        status=202,
        feature=Feature.MESSAGES,
    ),
    Operation("showCall", "GET", "call", call_state, "How the call goes", CallTold),
)
