"""The portal's overviews for administrators, as configured: calls that go on, and more."""

from dataclasses import dataclass
from functools import partial

from vm_ari.adapters.live_calls_database import DatabaseLiveCalls
from vm_ari.adapters.machine import clock_facts, database_of, disk_of
from vm_ari.adapters.missed_call_log import DatabaseCallLog
from vm_ari.config import Config
from vm_ari.domain.system_facts import SystemFacts
from vm_ari.domain.users import User
from vm_ari.services.known_people import KnownPeople
from vm_ari.services.live_calls import LiveCallsView
from vm_ari.services.notice_desk import NoticeDesk
from vm_ari.web.overview_parts import OverviewParts
from vm_ari.wiring.directories import blamed
from vm_ari.wiring.live_calls import open_live_calls_store
from vm_ari.wiring.logs import LogLevel, level_file, open_logs
from vm_ari.wiring.notifications import People, Told, open_notifications
from vm_ari.wiring.surroundings import Surroundings


@dataclass(frozen=True)
class Overviews:
    """What these pages have opened."""

    parts: OverviewParts
    calls: DatabaseLiveCalls
    missed: DatabaseCallLog
    told: Told | None

    async def close(self) -> None:
        """Let go of the databases."""
        if self.told:
            await self.told.close()
        await self.missed.close()
        await self.calls.close()


def open_overviews(config: Config, around: Surroundings) -> Overviews:
    """Nothing is connected yet. Raises `BadConfig`."""
    calls, told = open_live_calls_store(config), _told(config, around)
    with blamed("missed_calls.url"):
        missed = DatabaseCallLog(config.missed_calls.url or config.directory.url)
    parts = OverviewParts(
        calls=LiveCallsView(calls, around.clock),
        people=KnownPeople(around.directories.register),
        logs=open_logs(config),
        level=LogLevel(level_file(config), config.log_level),
        missed=missed,
        facts=partial(_facts, config),
        notices=NoticeDesk(told.rules, told.book) if told else None,
        calls_are_followed=bool(config.manager.user),
    )
    return Overviews(parts, calls, missed, told)


def _facts(config: Config) -> SystemFacts:
    """Of this machine. Blocks."""
    places = {"spool": config.spool.directory, "greetings": config.greetings.directory}
    if config.store.kind == "local":
        places["store"] = config.store.maildir
    if config.logs.file:
        places["logs"] = config.logs.file.parent
    urls: dict[str, list[str]] = {}
    usual = config.directory.url
    for what, url in {
        "directory": usual,
        "journal": config.journal.url or usual,
        "notices": config.notifications.url or usual,
        "missed-calls": config.missed_calls.url or usual,
        "portal": config.web.url or usual,
    }.items():
        urls.setdefault(url, []).append(what)
    return SystemFacts(
        clock_facts(),
        tuple(disk_of(what, path) for what, path in places.items()),
        tuple(database_of(url, tuple(whats)) for url, whats in urls.items()),
    )


def _told(config: Config, around: Surroundings) -> Told | None:
    """The channels and what is remembered; nothing is told from here."""
    if around.notices is None or around.mailboxes is None:
        return None
    directories = around.directories
    people = People(directories.for_calls, directories.register, around.mailboxes, around.clock)
    return open_notifications(config, around.keys, people, around.notices, _no_lamp)


async def _no_lamp(_user: User) -> None:
    """The controller follows resets by itself."""
