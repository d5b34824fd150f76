"""``vm-ari message``: the voice messages of a mailbox, and one heard by telephone (INBOX-14)."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from vm_ari.cli.completing import user_ids
from vm_ari.cli.opening import (
    FAILED,
    UNREACHABLE,
    config_option,
    configured,
    fail,
    on_users,
    output_option,
    reported,
)

if TYPE_CHECKING:
    from vm_ari.config import Config
    from vm_ari.domain.messages import StoredMessage
    from vm_ari.domain.users import User
    from vm_ari.ports import Mailbox, UserRegister
    from vm_ari.services.users import Users

T = TypeVar("T")

COLUMNS = ("uid", "received", "number", "name", "seconds", "urgent", "new")

mailbox_argument = click.argument("mailbox", shell_complete=user_ids)


@click.group()
def message() -> None:
    """The voice messages of a mailbox.

    A MAILBOX is that of a user: the id, or a number in any spelling. Exit codes: 0 done, 1 refused
    or not heard, 2 wrong usage, 3 configuration, 4 directory or message store not usable.
    """


@message.command("list")
@config_option
@output_option
@mailbox_argument
def list_(path: Path, form: str, mailbox: str) -> None:
    """All voice messages, the new ones first, in the order in which they are heard."""
    from vm_ari.cli.output import write
    from vm_ari.domain.messages import MessageKind, in_telephone_order

    async def look(config: "Config", users: "Users", user: "User") -> "list[StoredMessage]":
        async def voice(box: "Mailbox") -> "list[StoredMessage]":
            both = [list(await box.messages(MessageKind.VOICE, new=new)) for new in (True, False)]
            order = config.rules().list_order
            return [one for some in both for one in in_telephone_order(some, order)]

        return await _in_mailbox(config, users.register, user, voice)

    write([_row(one) for one in _on_mailbox(path, mailbox, look)], COLUMNS, form)


@message.command()
@config_option
@click.option(
    "-p", "--phone", "phone", metavar="NUMBER", default="", help="Where to call; else the user's."
)
@mailbox_argument
@click.argument("uid")
def play(path: Path, phone: str, mailbox: str, uid: str) -> None:
    """Call a telephone and play a message there: UID as “message list” shows it.

    Whoever answers presses a key to hear it, and types the PIN where it is not the user's own
    telephone. The dialling rules apply; a controller must be running.
    """
    from vm_ari.adapters.system_clock import SystemClock
    from vm_ari.wiring.calls import open_play_on_phone

    async def heard(config: "Config", users: "Users", user: "User") -> None:
        if called := phone or next(iter(user.numbers), ""):
            click.echo(f"Calling {called} …", err=True)
        calls = open_play_on_phone(config, users.register, SystemClock())
        await calls.play(user, uid, phone)

    _on_mailbox(path, mailbox, heard)
    click.echo("The message was heard.", err=True)


def _on_mailbox(
    path: Path, asked: str, story: "Callable[[Config, Users, User], Awaitable[T]]"
) -> T:
    """Run a story about a user; an error ends the program with its exit code."""

    async def whole(users: "Users") -> T:
        from vm_ari.domain.entries import effective_user

        entry = await users.find(asked)
        group = await users.organisation(entry.organisation)
        return await story(config, users, effective_user(entry, group, users.house.defaults))

    with reported():
        config = configured(path)
    with _messages_reported():
        return on_users(path, whole)


async def _in_mailbox(
    config: "Config",
    register: "UserRegister",
    user: "User",
    story: "Callable[[Mailbox], Awaitable[list[StoredMessage]]]",
) -> "list[StoredMessage]":
    """Of a Maildir that nobody has made yet: nothing; it must not become the administrator's."""
    from vm_ari.adapters.maildir_tree import Folder, store_name
    from vm_ari.adapters.sealing import KeyRing
    from vm_ari.wiring.store import open_store

    local = config.store.kind == "local"
    if local and not Folder(config.store.maildir / store_name(user)).is_complete():
        return []
    keys, listening = KeyRing(config.directory.keys), config.spool.directory / "listening"
    store = open_store(config, keys, register, listening)
    try:
        async with store.mailboxes.open(user) as mailbox:
            return await story(mailbox)
    finally:
        await store.close()


@contextmanager
def _messages_reported() -> Iterator[None]:
    from vm_ari.ports import MailboxUnavailable, NoCall

    try:
        yield
    except NoCall as error:
        fail(error, FAILED)
    except (MailboxUnavailable, PermissionError) as error:
        fail(f"The message store cannot be used: {error}", UNREACHABLE)


def _row(one: "StoredMessage") -> dict[str, object]:
    return {
        "uid": one.uid,
        "received": one.received.isoformat(timespec="seconds"),
        "number": one.caller.number,
        "name": one.caller.name,
        "seconds": round(one.seconds, 1),
        "urgent": one.urgent,
        "new": one.new,
    }
