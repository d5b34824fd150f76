"""Voice messages: listed, heard, marked, moved, deleted and brought back (STORE-05, INBOX-14)."""

from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import urlencode

import structlog
from starlette.responses import Response

from vm_ari.domain.access import Proof
from vm_ari.domain.call_back import NoCallBack
from vm_ari.domain.messages import StoredMessage
from vm_ari.domain.portal_rights import Feature
from vm_ari.domain.preferences import Access
from vm_ari.domain.users import User
from vm_ari.ports import MailboxUnavailable, MessageGone, Unplayable
from vm_ari.services.own_messages import OwnMessages, Shown
from vm_ari.web.door import problem
from vm_ari.web.page import Page
from vm_ari.web.sound import sound_answer
from vm_ari.web.user_parts import UserParts
from vm_ari.web.visit import Visit, read_id, written_id

log = structlog.get_logger("vm_ari.portal")

LONGEST_SEARCH = 60
_AWAY = (MessageGone, MailboxUnavailable)


async def show(visit: Visit) -> Response:
    """The list of one folder, with what is looked for."""
    asked, folder = visit.request.query_params, _folder(visit)
    shown = _shown(asked.get("show", ""))
    text = asked.get("find", "")[:LONGEST_SEARCH]
    messages, deleted = _messages(visit), read_id(asked.get("deleted", ""))
    page = None
    if messages:
        try:
            after = asked.get("after", "")
            page = await messages.page(visit.user, shown, text, after, folder=folder)
        except MailboxUnavailable as error:
            log.warning("messages not listed", user=visit.user.id, reason=str(error))
    older = {"show": shown, "find": text, "after": page.older, "in": folder} if page else {}
    back = bool(messages and deleted and messages.can_come_back(visit.user, deleted))
    return visit.page(
        "messages.html",
        visit.words("messages.title"),
        page=page,
        older=urlencode({key: value for key, value in older.items() if value}),
        shown=shown,
        options=tuple(Shown),
        text=text,
        searched=bool(text) or shown is not Shown.ALL,
        deleted=written_id(deleted) if back else "",
        first="after" not in asked,
        written=written_id,
        folder=folder,
        folders=messages.folders if messages else (),
        where=_where(folder),
    )


async def show_one(visit: Visit) -> Response:
    """One message, with its player."""
    try:
        message = await _needed(visit).find(visit.user, _uid(visit), _folder(visit))
    except _AWAY as error:
        return _impossible(visit, error)
    return _page_of(visit, message)


async def sound(visit: Visit) -> Response:
    """What was said, to be heard or (``save``) kept as a file."""
    try:
        file: BinaryIO = await _needed(visit).sound(visit.user, _uid(visit), _folder(visit))
    except _AWAY as error:
        return _impossible(visit, error)
    save = "save" in visit.request.query_params
    return await sound_answer(visit.request, file, save_as="message.wav" if save else "")


async def text(visit: Visit) -> Response:
    """What is written in the mail that brought it, the transcript too."""
    folder = _folder(visit)
    try:
        found = await _needed(visit).text(visit.user, _uid(visit), folder)
    except _AWAY as error:
        return _impossible(visit, error)
    uid, title = written_id(_uid(visit)), visit.words("messages.text")
    return visit.page("message-text.html", title, text=found, uid=uid, where=_where(folder))


async def change(visit: Visit) -> Response:
    """Do with a message what the button says."""
    try:
        match visit.typed("what"):
            case "play" | "call-back" as what:
                return await _call(visit, _uid(visit), what)
            case "move":
                return await _move(visit, _uid(visit))
            case what:
                return await _change(visit, _uid(visit), what)
    except _AWAY as error:
        return _impossible(visit, error)


async def call_state(visit: Visit) -> Response:
    """How the call goes that plays a message: asked for by the page itself."""
    parts = visit.part(UserParts)
    progress = parts.calls.tell(visit.user.id) if parts else None
    return visit.page("call-state.html", "", progress=progress, words="messages", asked=True)


async def _change(visit: Visit, uid: str, what: str) -> Response:
    """Raises `MessageGone`, `MailboxUnavailable`."""
    messages, folder = _needed(visit), _folder(visit)
    acts: dict[str, Callable[[User, str, str], Awaitable[None]]] = {
        "heard": partial(messages.mark, new=False),
        "new": partial(messages.mark, new=True),
        "delete": messages.delete,
        "undelete": lambda user, uid, _folder: messages.undelete(user, uid),
    }
    if what not in acts:
        return problem(visit, HTTPStatus.BAD_REQUEST, "unreadable")
    await acts[what](visit.user, uid, folder)
    log.info("message changed", user=visit.user.id, by=visit.me.entry.id, what=what)
    if "hx-request" in visit.request.headers:  # the player has come to the end: the page stays
        return Response(status_code=HTTPStatus.NO_CONTENT)
    rest = {"in": folder, "deleted": written_id(uid) if what == "delete" else ""}
    return await visit.done(f"messages.done.{what}", f"messages{_query(rest)}")


async def _move(visit: Visit, uid: str) -> Response:
    """Into one of the folders of the site. Raises `MessageGone`, `MailboxUnavailable`."""
    messages, folder, to = _needed(visit), _folder(visit), visit.typed("to")
    if to == folder or to not in ("", *messages.folders):
        return problem(visit, HTTPStatus.BAD_REQUEST, "unreadable")
    await messages.move(visit.user, uid, folder, to=to)
    log.info("message moved", user=visit.user.id, by=visit.me.entry.id)
    said = "messages.done.moved" if to else "messages.done.returned"
    return await visit.done(said, f"messages{_where(folder)}")


async def _call(visit: Visit, uid: str, what: str) -> Response:
    """On one of the user's own telephones only: nobody else's rings for somebody's click."""
    parts, number = visit.part(UserParts), visit.typed("phone")
    message = await _needed(visit).find(visit.user, uid)
    possible = parts and parts.play and number in visit.user.numbers
    if what == "call-back":  # who acts for others does not speak for them
        possible = possible and not visit.acting and _obstacle(visit, message) is None
    if parts is None or parts.play is None or not possible:
        return problem(visit, HTTPStatus.BAD_REQUEST, "unreadable")
    make = parts.play.play if what == "play" else parts.play.call_back
    begun = parts.calls.begin(visit.user.id, lambda: make(visit.user, message.uid, number))
    if not begun:
        return _page_of(visit, message, busy=True)
    log.info("call asked for", what=what, user=visit.user.id, by=visit.me.entry.id)
    return visit.see(visit.link(f"messages/{written_id(uid)}"))


def _page_of(visit: Visit, message: StoredMessage, *, busy: bool = False) -> Response:
    parts, messages, folder = visit.part(UserParts), _needed(visit), _folder(visit)
    callable_ = bool(parts and parts.play and visit.user.numbers and not folder)
    return visit.page(
        "message.html",
        visit.words("messages.one"),
        status=HTTPStatus.CONFLICT if busy else HTTPStatus.OK,
        message=message,
        uid=written_id(message.uid),
        folder=folder,
        targets=[one for one in ("", *messages.folders) if one != folder],
        where=_where(folder),
        more=f"&{urlencode({'in': folder})}" if folder else "",
        phones=visit.user.numbers if callable_ else (),
        obstacle=None if visit.acting else _obstacle(visit, message),
        progress=parts.calls.tell(visit.user.id) if parts else None,
        words="messages",
        asked=False,
        busy=busy,
    )


def _obstacle(visit: Visit, message: StoredMessage) -> str | None:
    """Why its sender cannot be called back: the end of a key of the words; None: he can be.

    The sign-in of the portal stands for the PIN that the telephone menu wants (INBOX-09).
    """
    parts = visit.part(UserParts)
    if parts is None or parts.call_backs is None or visit.user.access is not Access.FULL:
        return "hidden"
    judged = parts.call_backs.judge(message, visit.user, Proof.PIN)
    return judged.name.lower() if isinstance(judged, NoCallBack) else None


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


def _folder(visit: Visit) -> str:
    """The one that is looked at; empty, where new messages come, for one that is not there."""
    messages, asked = _messages(visit), visit.request.query_params.get("in", "")
    return asked if messages and asked in messages.folders else ""


def _where(folder: str) -> str:
    return _query({"in": folder})


def _query(fields: dict[str, str]) -> str:
    """What stands behind an address; empty fields are left out."""
    written = urlencode({key: value for key, value in fields.items() if value})
    return f"?{written}" if written else ""


def _shown(text: str) -> Shown:
    return Shown(text) if text in set(Shown) else Shown.ALL


PAGES = (
    Page("messages", show, menu=12),
    Page("messages/call", call_state, passive=True),
    Page("messages/{uid}", show_one, change, feature=Feature.MESSAGES),
    Page("messages/{uid}/sound", sound),
    Page("messages/{uid}/text", text),
)
