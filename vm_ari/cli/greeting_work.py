"""What the commands for greetings have in common: the stores, the arguments, the results."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from vm_ari.cli.opening import FAILED, UNREACHABLE, configured, fail, on_users, reported

if TYPE_CHECKING:
    from vm_ari.adapters.outgoing_call import OutgoingCalls
    from vm_ari.config import Config
    from vm_ari.domain.dialling import Allowed
    from vm_ari.domain.greetings import Greeting, GreetingKey
    from vm_ari.services.greetings import GreetingBook

T = TypeVar("T")

MOST_TEXT = 100_000
"""Characters of standard input: more than any voice is given."""
COLUMNS = ("slot", "language", "seconds", "recorded", "source", "expires")

language_option = click.option(
    "-l", "--lang", "language", metavar="CODE", default="", help="Such as de; else the user's own."
)
until_option = click.option(
    "--until", "until", metavar="DATE", help="The last day, as 2026-12-31; or a moment."
)
phone_option = click.option(
    "-p", "--phone", "phone", metavar="NUMBER", required=True, help="Where to call."
)


@dataclass(frozen=True)
class Owner:
    """Whose greetings a command is about."""

    id: str
    language: str
    zone: tzinfo


def on_greetings(path: Path, story: "Callable[[GreetingBook], Awaitable[T]]") -> T:
    """Run a story on the configured greetings; an error ends the program with its exit code."""
    from vm_ari.logs import logs_of_command

    with reported(), _greetings_reported():
        config = configured(path)
        with logs_of_command(config.log_level):
            return asyncio.run(_with_book(config, story))


async def _with_book(config: "Config", story: "Callable[[GreetingBook], Awaitable[T]]") -> T:
    from vm_ari.services.greetings import GreetingBook
    from vm_ari.wiring.directories import open_greetings, open_voice

    store = open_greetings(config)
    try:
        return await story(GreetingBook(store, open_voice(config)))
    finally:
        await store.close()


@contextmanager
def _greetings_reported() -> Iterator[None]:
    from vm_ari.domain.ends import BadEnd
    from vm_ari.ports import (
        GreetingsUnavailable,
        NoCall,
        Unspeakable,
        UnusableAudio,
        VoiceUnavailable,
    )
    from vm_ari.services.greetings import NoGreeting

    try:
        yield
    except (UnusableAudio, Unspeakable, BadEnd, NoCall) as error:
        fail(error, FAILED)
    except NoGreeting as error:
        fail(error.args[0], FAILED)
    except (GreetingsUnavailable, VoiceUnavailable) as error:
        fail(error, UNREACHABLE)


def owner_of(path: Path, user: str, language: str) -> Owner:
    """The user of that id or number, with the language to use."""
    from zoneinfo import ZoneInfo

    from vm_ari.domain.preferences import LANGUAGE, TIME_ZONE
    from vm_ari.services.users import Users

    async def look(desk: Users) -> Owner:
        entry = await desk.find(user)
        decided = await desk.effective(entry)
        zone = ZoneInfo(decided[TIME_ZONE.key].value)
        return Owner(entry.id, language or str(decided[LANGUAGE.key].value), zone)

    owner = on_users(path, look)
    return Owner(owner.id, checked_language(owner.language), owner.zone)


def site_owner(path: Path, language: str) -> Owner:
    """The site, as the owner of the global greeting."""
    from zoneinfo import ZoneInfo

    from vm_ari.domain.greetings import SITE
    from vm_ari.domain.preferences import TIME_ZONE

    with reported():
        config = configured(path)
    zone = ZoneInfo(config.user_defaults().get(TIME_ZONE.key) or TIME_ZONE.default)
    return Owner(SITE, checked_language(language or config.site.language), zone)


def checked_language(code: str) -> str:
    """One that callers can be spoken to in."""
    from vm_ari.speech.language import languages

    if code not in languages():
        raise click.BadParameter(
            f"there is no language “{code[:20]}”, only {', '.join(languages())}.",
            param_hint="--lang",
        )
    return code


def end(until: str | None, zone: tzinfo) -> datetime | None:
    """The end of a greeting that begins now. Raises `BadEnd`."""
    from vm_ari.domain.ends import coming_end

    return None if until is None else coming_end(until, zone, datetime.now(UTC))


def row(greeting: "Greeting", zone: tzinfo) -> dict[str, object]:
    """A greeting as a line of a table; times are the owner's."""
    ends = greeting.expires
    return {
        "slot": greeting.key.slot.value,
        "language": greeting.key.language,
        "seconds": round(greeting.seconds, 1),
        "recorded": _time(greeting.recorded, zone),
        "source": greeting.source.value,
        "expires": _time(ends, zone) if ends else None,
        "file": f"{greeting.path}.wav16",
    }


def _time(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).isoformat(timespec="minutes")


def show_rows(rows: list[dict[str, object]], form: str) -> None:
    """In the form that was asked for."""
    from vm_ari.cli.output import write

    write(rows, COLUMNS, form)


def show_one(greeting: "Greeting", zone: tzinfo, form: str) -> None:
    """All that is known of a greeting."""
    from vm_ari.cli.output import write

    facts = row(greeting, zone)
    if form == "json":
        write([facts], (), form)
        return
    pairs = [{"field": key, "value": value} for key, value in facts.items()]
    write(pairs, ("field", "value"), form)


def import_file(
    path: Path, key: "GreetingKey", file: Path, until: str | None, zone: tzinfo
) -> "Greeting":
    """A file becomes the greeting."""
    return on_greetings(
        path, lambda book: book.keep_file(key, file.absolute(), expires=end(until, zone))
    )


def export_file(path: Path, key: "GreetingKey", file: Path) -> None:
    """Write the greeting into a file, 16 kHz WAV."""
    greeting = on_greetings(path, lambda book: book.find(key))
    try:
        content = Path(f"{greeting.path}.wav16").read_bytes()
        if str(file) == "-":
            sys.stdout.buffer.write(content)
            return
        file.write_bytes(content)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}", FAILED)
    click.echo(f"{greeting.seconds:.1f} seconds written to {file}", err=True)


def speak(path: Path, key: "GreetingKey", text: str, until: str | None, zone: tzinfo) -> "Greeting":
    """The text, or (``-``) standard input, becomes the greeting."""
    words = sys.stdin.read(MOST_TEXT) if text == "-" else text
    return on_greetings(path, lambda book: book.keep_text(key, words, expires=end(until, zone)))


def record(path: Path, key: "GreetingKey", phone: str) -> "Greeting":
    """Call a telephone and let somebody record there; back when that has ended."""
    from vm_ari.adapters.system_clock import SystemClock
    from vm_ari.domain.recording_call import arguments_for
    from vm_ari.ports import NoCall
    from vm_ari.wiring.locations import endpoint_of

    with reported():
        config = configured(path)

    async def story(book: "GreetingBook") -> "Greeting":
        before = (await book.store.of(key.owner)).get(key)
        caller, destination = _caller(config, phone)
        click.echo(f"Calling {destination.number} …", err=True)
        way = await endpoint_of(config, key.owner, SystemClock())
        await caller.call(destination, arguments_for(key), endpoint=way)
        after = (await book.store.of(key.owner)).get(key)
        if after is None or after == before:
            raise NoCall("The call has ended, and nothing was kept.")
        return after

    return on_greetings(path, story)


def _caller(config: "Config", phone: str) -> "tuple[OutgoingCalls, Allowed]":
    """Who calls, and what is dialled. Raises `NoCall` for a number that is not allowed."""
    from vm_ari.domain.dialling import Denied, may_dial
    from vm_ari.ports import NoCall
    from vm_ari.wiring.calls import open_telephones

    judged = may_dial(phone, config.dialling_rules(), config.rules().sites)
    if isinstance(judged, Denied):
        raise NoCall(judged.reason)
    return open_telephones(config), judged
