"""``vm-ari notifications``: how users are told of new messages, resets, and a trial."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from vm_ari.cli.notification_reset import reset
from vm_ari.cli.opening import (
    FAILED,
    PARTLY_FAILED,
    config_option,
    configured,
    directory_of,
    fail,
    on_users,
    output_option,
    reported,
)
from vm_ari.cli.users.choosing import user_argument

if TYPE_CHECKING:
    from vm_ari.domain.notifications import Channel, Notice
    from vm_ari.domain.users import User
    from vm_ari.services.users import Users
    from vm_ari.wiring.notifications import People, Told

T = TypeVar("T")
Row = dict[str, object]
Story = Callable[["Told", "People", "User", "Users"], Awaitable[T]]
COLUMNS = ("topic", "channel", "chosen", "origin", "from", "from_origin", "obstacle")
CHANNELS = ("mail", "sms", "call", "webhook")


@click.group()
def notifications() -> None:
    """How users are told of new messages."""


notifications.add_command(reset)


@notifications.command()
@config_option
@output_option
@user_argument
def show(path: Path, form: str, user: str) -> None:
    """By which channels a USER is told of what, whose setting that is, and what is in the way.

    What is wanted is changed with “vm-ari users set USER notify_voice=lamp,mail”.
    """
    from vm_ari.cli.output import write

    write(_on_told(path, user, _rows), COLUMNS, form)


async def _rows(told: "Told", _people: "People", user: "User", desk: "Users") -> list[Row]:
    from vm_ari.domain.notifications import Channel, Topic
    from vm_ari.domain.preferences import NOTIFICATIONS, NOTIFY, NOTIFY_FROM

    decided = await desk.effective(await desk.find(user.id))
    off = "" if user.notifications else f"switched off ({NOTIFICATIONS.key})"

    def row(topic: Topic, channel: Channel) -> Row:
        channels, number = decided[NOTIFY[topic].key], decided[NOTIFY_FROM[topic].key]
        return {
            "topic": topic.value,
            "channel": channel.value,
            "chosen": channel in channels.value,
            "origin": channels.origin.value,
            "from": number.value,
            "from_origin": number.origin.value,
            "obstacle": off or told.rules.obstacle(user, channel),
        }

    return [row(topic, channel) for topic in Topic for channel in Channel]


@notifications.command("test")
@config_option
@output_option
@user_argument
@click.option(
    "--channel", "channel", type=click.Choice(CHANNELS), help="Only by this one, chosen or not."
)
def try_(path: Path, form: str, user: str, channel: str | None) -> None:
    """Tell a USER of one new voice message now, as a trial, by every channel that is chosen.

    The running controller sends it; a telephone is called only if there is really something new,
    and “vm-ari mwi sync” tries the lamp. Exit codes: as of “users”; 5 when some channels failed.
    """
    from vm_ari.cli.output import write
    from vm_ari.domain.notifications import Channel

    async def story(told: "Told", people: "People", person: "User", _desk: "Users") -> list[Row]:
        notice = _trial(people, person)
        wanted = [Channel(channel)] if channel else _chosen(person)
        return [await _told_by(told, person, each, notice) for each in wanted]

    rows = _on_told(path, user, story)
    if not rows:
        fail("Neither mail, SMS, call nor webhook is chosen; name one with --channel.", FAILED)
    write(rows, ("channel", "result", "reason"), form)
    failed = [row for row in rows if row["result"] == "failed"]
    if failed:
        raise SystemExit(FAILED if len(failed) == len(rows) else PARTLY_FAILED)


def _chosen(user: "User") -> "list[Channel]":
    from vm_ari.domain.notifications import Channel, Topic

    wanted = {channel for topic in Topic for channel in user.channels_for(topic)}
    return [channel for channel in Channel if channel in wanted - {Channel.LAMP}]


def _trial(people: "People", user: "User") -> "Notice":
    """As if there were one voice message."""
    import secrets

    from vm_ari.domain.messages import Counts
    from vm_ari.domain.notifications import Notice, Topic

    now = people.clock.now()
    return Notice(secrets.token_hex(12), user.id, {Topic.VOICE: 1}, Counts(new_voice=1), now)


async def _told_by(told: "Told", user: "User", channel: "Channel", notice: "Notice") -> Row:
    from vm_ari.ports import NoticeNotKept

    result, reason = "failed", told.rules.obstacle(user, channel)
    if not reason:
        try:
            await told.rules.announce(user, channel, notice)
            result = "kept"
        except NoticeNotKept as error:
            reason = str(error)
    return {"channel": channel.value, "result": result, "reason": reason}


def _on_told(path: Path, asked: str, story: "Story[T]") -> T:
    """Run a story about one user; an error ends the program with its exit code."""
    with reported():
        config = configured(path)

    async def with_told(desk: "Users") -> T:
        from vm_ari.adapters.sealing import KeyRing
        from vm_ari.adapters.system_clock import SystemClock
        from vm_ari.ports import UnknownUser
        from vm_ari.wiring.mail import open_post
        from vm_ari.wiring.notifications import People, open_notifications
        from vm_ari.wiring.store import open_store

        register = directory_of(desk)
        entry = await desk.find(asked)
        user = await register.user_by_id(entry.id)
        if user is None:
            raise UnknownUser(f"There is no user {entry.id}.")
        keys, clock = KeyRing(config.directory.keys), SystemClock()
        store = open_store(config, keys, register, config.spool.directory / "listening")
        people = People(register, register, store.mailboxes, clock)
        post = open_post(config, keys, clock, register, register)
        told = open_notifications(config, keys, people, post.mails, _no_lamp)
        try:
            return await story(told, people, user, desk)
        finally:
            await told.close()
            await post.close()
            await store.close()

    return on_users(path, with_told)


async def _no_lamp(_user: "User") -> None:
    """The running controller tells lamps."""
    await asyncio.sleep(0)
