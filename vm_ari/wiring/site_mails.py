"""Mails about ended greetings, and mails to the system itself, as configured."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from vm_ari.adapters.examination.mail_ports import examine_mail_port
from vm_ari.adapters.findings import Finding
from vm_ari.adapters.holiday_calendar import public_holiday
from vm_ari.adapters.mail_listener import ListenerLimits, MailListener
from vm_ari.adapters.told_ends import ToldEnds
from vm_ari.config import Config
from vm_ari.domain.site_mails import Trust, without_detail
from vm_ari.ports import Clock, Directory, Greetings, Notices
from vm_ari.services.ended_greetings import EndedGreetings, Site
from vm_ari.services.site_mails import Handler, LampOff, Senders, SiteMails
from vm_ari.speech.language import languages
from vm_ari.wiring.directories import blamed


@dataclass(frozen=True)
class SiteMailParts:
    """Both of them; each only where the site wants it."""

    told: ToldEnds
    ended: EndedGreetings | None
    listener: MailListener | None

    async def run(self) -> None:
        """Tell and listen until cancelled."""
        async with asyncio.TaskGroup() as parts:
            for part in (self.ended, self.listener):
                if part is not None:
                    parts.create_task(part.run())

    async def close(self) -> None:
        """What is under way is done again after the next start."""
        if self.listener:
            self.listener.close()
        await self.told.close()


def open_site_mails(
    config: Config,
    directory: Directory,
    greetings: Greetings,
    notices: Notices,
    clock: Clock,
    lamp_off: Handler,
) -> SiteMailParts:
    """Nothing is connected yet; to be closed by the caller. Raises `BadConfig`."""
    told = _told(config)
    site = Site(
        rules=config.rules(),
        calendar=public_holiday,
        spoken=languages(),
        needs_address=config.mail.smtp is not None,
    )
    ended = EndedGreetings(directory, greetings, notices, told, clock, site)
    lamps = LampOff(lamp_off, notices, clock, config.site_mails.confirm)
    desk = _desk(config, Senders(directory, clock), lamps)
    wanted = config.greetings.end_notice
    return SiteMailParts(told, ended if wanted else None, _listener(config, desk))


def _told(config: Config) -> ToldEnds:
    """Nodes that share greetings share this, too."""
    url = config.greetings.url or config.directory.url
    with blamed("greetings.url"):
        return ToldEnds(url, f"{socket.gethostname()}:{config.spool.directory}")


def _desk(config: Config, senders: Senders, lamp_off: LampOff) -> SiteMails:
    table = config.site_mails
    table_of = {table.lamp_off: lamp_off}
    handlers = {without_detail(place): work for place, work in table_of.items() if place}
    return SiteMails(senders, handlers, Trust(table.authentication))


def _listener(config: Config, desk: SiteMails) -> MailListener | None:
    table = config.site_mails
    if not table.addresses:
        return None
    limits = ListenerLimits(
        largest=table.largest_kilobytes * 1024,
        connections=table.connections,
        idle=table.timeout_seconds,
        longest=table.timeout_seconds * 10,
    )
    return MailListener(desk, table.host, table.port, table.networks(), limits)


async def examine_site_mails(config: Config) -> Sequence[Finding]:
    """Does the running controller take mails to the system? (MAIL-07)."""
    table, what = config.site_mails, "mails to the system"
    good = f"Mails to {', '.join(table.addresses)} are taken"
    return [await examine_mail_port(table.host, table.port, "site_mails", what, good)]
