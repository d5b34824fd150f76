"""Faxes that users send, as configured: which adapters they go through (UM-04)."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from vm_ari.adapters.ari.transport import Address
from vm_ari.adapters.fax_documents import fax_letter, fax_papers
from vm_ari.adapters.fax_line import AsteriskFaxLine
from vm_ari.adapters.fax_orders import FaxOrderFiles
from vm_ari.adapters.fax_rendering import FaxRendering, as_pdf, media_type_of
from vm_ari.adapters.mail_listener import ListenerLimits, MailListener
from vm_ari.adapters.sealing import KeyRing
from vm_ari.config import BadConfig, Config
from vm_ari.domain.fax_rights import FaxRights
from vm_ari.domain.site_mails import Trust
from vm_ari.ports import Clock, Directory, Notices
from vm_ari.services.fax_by_mail import FaxByMail
from vm_ari.services.fax_forwarding import FaxForwarding
from vm_ari.services.fax_ordering import FaxOrdering
from vm_ari.services.fax_reports import FaxReports
from vm_ari.services.fax_sending import FaxRules, FaxSending
from vm_ari.services.rights import Rights
from vm_ari.services.site_mails import Senders
from vm_ari.web.fax_parts import FaxParts
from vm_ari.wiring_journal import OpenJournal
from vm_ari.wiring_rights import OpenRights, open_rights

FOLDER = "fax-orders"
"""Below the spool."""
_MAIL_OVERHEAD = 1.5
"""Octets of a mail for one of its documents."""
_MAIL_SECONDS = 60.0


@dataclass(frozen=True)
class OpenFaxOrdering:
    """Ordering, for any process."""

    ordering: FaxOrdering
    orders: FaxOrderFiles
    _rights: OpenRights

    def close(self) -> None:
        """Let running work end."""
        self.orders.shut()
        self._rights.shut()


@dataclass(frozen=True)
class OpenFaxes:
    """What the controller has of them; everything but *ordering* is None where none are sent."""

    ordering: FaxOrdering | None
    forward: FaxForwarding | None = None
    """What users forward by telephone."""
    _orders: FaxOrderFiles | None = None
    _sending: FaxSending | None = None
    _line: AsteriskFaxLine | None = None
    _listener: MailListener | None = None

    async def run(self) -> None:
        """Send, and take mails, until cancelled."""
        async with asyncio.TaskGroup() as parts:
            for part in (self._sending, self._listener):
                if part is not None:
                    parts.create_task(part.run())

    async def close(self) -> None:
        """Calls go on without us; what waits goes on after the next start."""
        if self._listener:
            self._listener.close()
        if self._line:
            await self._line.close()
        if self._orders:
            self._orders.shut()


def open_fax_ordering(config: Config, keys: KeyRing, clock: Clock) -> OpenFaxOrdering | None:
    """For a command, or the portal in a process of its own: to be closed by the caller.

    None where no faxes are sent. Raises `BadConfig`.
    """
    if not config.fax_sending.enabled:
        return None
    orders, rights = open_fax_orders(config, keys), open_rights(config, clock)
    ordering = FaxOrdering(
        orders,
        _printer(config),
        clock,
        fax_rights(config),
        config.rules().sites,
        counting=rights.rights,
    )
    return OpenFaxOrdering(ordering, orders, rights)


def open_faxes(
    config: Config,
    keys: KeyRing,
    clock: Clock,
    directory: Directory,
    notices: Notices,
    journal: OpenJournal,
    rights: Rights,
) -> OpenFaxes:
    """For the controller; nothing is connected yet. Raises `BadConfig`."""
    if not config.fax_sending.enabled:
        return OpenFaxes(None)
    orders, printer, line = open_fax_orders(config, keys), _printer(config), _line(config)
    rules = _rules(config)
    reports = FaxReports(directory, notices, journal.notes, journal.node, rules.sites[0])
    sending = FaxSending(
        orders,
        printer,
        line,
        directory,
        clock,
        rules,
        begins=reports.begins,
        ends=reports.ends,
        counting=rights,
    )
    ordering = FaxOrdering(
        orders, printer, clock, rules.rights, rules.sites, sending.wake, counting=rights
    )
    listener = _listener(config, ordering, Senders(directory, clock))
    forward = FaxForwarding(ordering, fax_papers)
    return OpenFaxes(ordering, forward, orders, sending, line, listener)


def open_fax_orders(config: Config, keys: KeyRing) -> FaxOrderFiles:
    """The queue alone; to be shut by the caller."""
    return FaxOrderFiles(config.spool.directory / FOLDER, keys)


def fax_rights(config: Config) -> FaxRights:
    """What the site allows. Raises `BadConfig`."""
    table = config.fax_sending
    try:
        dialling = table.dialling(config.dialling_rules(), config.rules().site)
    except ValueError as error:
        raise BadConfig(str(error)) from None
    return FaxRights(dialling, table.limits(), config.rights.caps())


def _rules(config: Config) -> FaxRules:
    table = config.fax_sending
    return FaxRules(
        rights=fax_rights(config),
        retries=table.retries(),
        sites=config.rules().sites,
        lines=table.lines,
        keep=timedelta(days=table.keep_days),
    )


def _printer(config: Config) -> FaxRendering:
    return FaxRendering(config.templates, config.rules().site, config.fax_sending.paper)


def _line(config: Config) -> AsteriskFaxLine:
    asterisk, table = config.asterisk, config.fax_sending
    return AsteriskFaxLine(
        Address(asterisk.url, asterisk.user, asterisk.password.get_secret_value()),
        asterisk.app,
        config.spool.directory,
        table.endpoint or config.dialling.endpoint,
        how=table.how,
        rate=table.rate,
        ring_seconds=table.ring_seconds,
    )


def _listener(config: Config, ordering: FaxOrdering, senders: Senders) -> MailListener | None:
    table = config.fax_sending
    address = table.address()
    if address is None:
        return None
    site, trust = config.rules().site, Trust(table.mail_authentication)
    desk = FaxByMail(ordering, senders, address, site, fax_letter, trust)
    limits = ListenerLimits(
        largest=round(table.limits().octets * _MAIL_OVERHEAD),
        idle=_MAIL_SECONDS,
        longest=_MAIL_SECONDS * 5,
    )
    return MailListener(desk, table.mail_host, table.mail_port, table.networks(), limits)


@dataclass(frozen=True)
class OpenFaxPages:
    """What the portal has of them: nothing where none are sent."""

    parts: tuple[FaxParts, ...] = ()
    _opened: OpenFaxOrdering | None = None

    def close(self) -> None:
        """Let running work end."""
        if self._opened:
            self._opened.close()


def open_fax_pages(config: Config, keys: KeyRing, clock: Clock) -> OpenFaxPages:
    """For the portal, in the controller or alone; to be closed. Raises `BadConfig`."""
    opened = open_fax_ordering(config, keys, clock)
    if opened is None:
        return OpenFaxPages()
    limits = config.fax_sending.limits()
    return OpenFaxPages((FaxParts(opened.ordering, limits, media_type_of, as_pdf),), opened)
