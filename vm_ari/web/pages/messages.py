"""Voice messages: listed, heard, marked, deleted and brought back (STORE-05, INBOX-14)."""

from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import urlencode

import structlog
from starlette.responses import Response

from vm_ari.domain.messages import StoredMessage
from vm_ari.domain.users import User
from vm_ari.ports import MailboxUnavailable, MessageGone, Unplayable
from vm_ari.services.own_messages import OwnMessages, Shown
from vm_ari.services.play_on_phone import PlayOnPhone
from vm_ari.web.door import problem
from vm_ari.web.page import Page
from vm_ari.web.sound import sound_answer
from vm_ari.web.user_parts import UserParts
from vm_ari.web.visit import Visit, read_id, written_id

log = structlog.get_logger("vm_ari.portal")

LONGEST_SEARCH = 60
Act = Callable[[User, str], Awaitable[None]]


async def show(visit: Visit) -> Response:
    """The list, with what is looked for."""
    asked = visit.request.query_params
    shown = _shown(asked.get("show", ""))
    text = asked.get("find", "")[:LONGEST_SEARCH]
    messages, deleted = _messages(visit), read_id(asked.get("deleted", ""))
    page = None
    if messages:
        try:
            page = await messages.page(visit.user, shown, text, asked.get("after", ""))
        except MailboxUnavailable as error:
            log.warning("messages not listed", user=visit.user.id, reason=str(error))
    older = urlencode({"show": shown, "find": text, "after": page.older}) if page else ""
    back = bool(messages and deleted and messages.can_come_back(visit.user, deleted))
    return visit.page(
        "messages.html",
        visit.words("messages.title"),
        page=page,
        older=older,
        shown=shown,
        options=tuple(Shown),
        text=text,
        deleted=written_id(deleted) if back else "",
        first="after" not in asked,
        written=written_id,
    )


async def show_one(visit: Visit) -> Response:
    """One message, with its player."""
    try:
        message = await _needed(visit).find(visit.user, _uid(visit))
    except (MessageGone, MailboxUnavailable) as error:
        return _impossible(visit, error)
    return _page_of(visit, message)


async def sound(visit: Visit) -> Response:
    """What was said, to be heard or (``save``) kept as a file."""
    try:
        file: BinaryIO = await _needed(visit).sound(visit.user, _uid(visit))
    except (MessageGone, MailboxUnavailable) as error:
        return _impossible(visit, error)
    save = "save" in visit.request.query_params
    return await sound_answer(visit.request, file, save_as="message.wav" if save else "")


async def text(visit: Visit) -> Response:
    """What is written in the mail that brought it, the transcript too."""
    try:
        found = await _needed(visit).text(visit.user, _uid(visit))
    except (MessageGone, MailboxUnavailable) as error:
        return _impossible(visit, error)
    title = visit.words("messages.text")
    return visit.page("message-text.html", title, text=found, uid=written_id(_uid(visit)))


async def change(visit: Visit) -> Response:
    """Do with a message what the button says."""
    try:
        if visit.typed("what") == "play":
            return await _play(visit, _uid(visit))
        return await _change(visit, _uid(visit))
    except (MessageGone, MailboxUnavailable) as error:
        return _impossible(visit, error)


async def call_state(visit: Visit) -> Response:
    """How the call goes that plays a message: asked for by the page itself."""
    parts = visit.part(UserParts)
    progress = parts.calls.tell(visit.user.id) if parts else None
    return visit.page("call-state.html", "", progress=progress, words="messages", asked=True)


async def _change(visit: Visit, uid: str) -> Response:
    """Raises `MessageGone`, `MailboxUnavailable`."""
    messages, what = _needed(visit), visit.typed("what")
    acts: dict[str, Act] = {
        "heard": partial(messages.mark, new=False),
        "new": partial(messages.mark, new=True),
        "delete": messages.delete,
        "undelete": messages.undelete,
    }
    if what not in acts:
        return problem(visit, HTTPStatus.BAD_REQUEST, "unreadable")
    await acts[what](visit.user, uid)
    log.info("message changed", user=visit.user.id, by=visit.me.entry.id, what=what)
    if "hx-request" in visit.request.headers:  # the player has come to the end: the page stays
        return Response(status_code=HTTPStatus.NO_CONTENT)
    rest = f"?deleted={written_id(uid)}" if what == "delete" else ""
    return await visit.done(f"messages.done.{what}", f"messages{rest}")


async def _play(visit: Visit, uid: str) -> Response:
    """On one of the user's own telephones only: nobody else's rings for somebody's click."""
    parts, number = visit.part(UserParts), visit.typed("phone")
    message = await _needed(visit).find(visit.user, uid)
    if parts is None or parts.play is None or number not in visit.user.numbers:
        return problem(visit, HTTPStatus.BAD_REQUEST, "unreadable")
    play: PlayOnPhone = parts.play
    begun = parts.calls.begin(visit.user.id, lambda: play.play(visit.user, message.uid, number))
    if not begun:
        return _page_of(visit, message, busy=True)
    log.info("play on phone asked for", user=visit.user.id, by=visit.me.entry.id)
    return visit.see(visit.link(f"messages/{written_id(uid)}"))


def _page_of(visit: Visit, message: StoredMessage, *, busy: bool = False) -> Response:
    parts = visit.part(UserParts)
    playable = bool(parts and parts.play and visit.user.numbers)
    return visit.page(
        "message.html",
        visit.words("messages.one"),
        status=HTTPStatus.CONFLICT if busy else HTTPStatus.OK,
        message=message,
        uid=written_id(message.uid),
        phones=visit.user.numbers if playable else (),
        progress=parts.calls.tell(visit.user.id) if parts else None,
        words="messages",
        asked=False,
        busy=busy,
    )


def _impossible(visit: Visit, error: MessageGone | MailboxUnavailable) -> Response:
    """Not there any more, without a sound, or the store does not answer."""
    match error:
        case Unplayable():
            return problem(visit, HTTPStatus.NOT_FOUND, "no-sound")
        case MessageGone():
            return problem(visit, HTTPStatus.NOT_FOUND, "message-gone")
    log.warning("message not possible now", user=visit.user.id, reason=str(error))
    return problem(visit, HTTPStatus.SERVICE_UNAVAILABLE, "away")


def _messages(visit: Visit) -> OwnMessages | None:
    parts = visit.part(UserParts)
    return parts.messages if parts else None


def _needed(visit: Visit) -> OwnMessages:
    """Raises `MailboxUnavailable`."""
    if (messages := _messages(visit)) is None:
        raise MailboxUnavailable("there is no message store")
    return messages


def _uid(visit: Visit) -> str:
    return read_id(visit.request.path_params["uid"])


def _shown(text: str) -> Shown:
    return Shown(text) if text in set(Shown) else Shown.ALL


PAGES = (
    Page("messages", show, menu=12),
    Page("messages/call", call_state, passive=True),
    Page("messages/{uid}", show_one, change),
    Page("messages/{uid}/sound", sound),
    Page("messages/{uid}/text", text),
)
