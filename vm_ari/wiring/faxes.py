"""Faxes that users send, as configured: which adapters they go through (UM-04)."""

from dataclasses import dataclass, replace
from datetime import timedelta

from vm_ari.adapters.ari.transport import Address
from vm_ari.adapters.fax_documents import fax_letter, fax_papers
from vm_ari.adapters.fax_line import AsteriskFaxLine
from vm_ari.adapters.fax_orders import FaxOrderFiles
from vm_ari.adapters.fax_rendering import FaxRendering, as_pdf, media_type_of
from vm_ari.adapters.mail_listener import ListenerLimits, MailListener
from vm_ari.adapters.sealing import KeyRing
from vm_ari.config import Config
from vm_ari.domain.fax_rights import FaxRights
from vm_ari.domain.number_addresses import NumberAddress
from vm_ari.domain.site_mails import Trust
from vm_ari.ports import Clock, Directory, Notices
from vm_ari.services.fax_by_mail import FaxByMail
from vm_ari.services.fax_forwarding import FaxForwarding
from vm_ari.services.fax_ordering import FaxOrdering
from vm_ari.services.fax_reports import fax_told
from vm_ari.services.fax_sending import FaxRules, FaxSending
from vm_ari.services.order_sending import OrderHouse
from vm_ari.services.rights import Rights
from vm_ari.services.site_mails import Senders
from vm_ari.web.fax_parts import FaxParts
from vm_ari.wiring.journal import OpenJournal
from vm_ari.wiring.orders import (
    OpenOrdering,
    OpenOrderPages,
    OrderWork,
    dialling_of,
    order_listener,
    order_reports,
)
from vm_ari.wiring.rights import open_rights

FOLDER = "fax-orders"
"""Below the spool."""
_MAIL_OVERHEAD = 1.5
"""Octets of a mail for one of its documents."""
_MAIL_SECONDS = 60.0

OpenFaxOrdering = OpenOrdering[FaxOrdering]


@dataclass(frozen=True)
class OpenFaxes(OrderWork):
    """What the controller has of them."""

    forward: FaxForwarding | None = None
    """What users forward by telephone."""
    _line: AsteriskFaxLine | None = None

    async def close(self) -> None:
        """See `OrderWork`."""
        await super().close()
        if self._line:
            await self._line.close()


def open_fax_ordering(config: Config, keys: KeyRing, clock: Clock) -> OpenFaxOrdering | None:
    """For a command, or the portal in a process of its own: to be closed by the caller.

    None where no faxes are sent. Raises `BadConfig`.
    """
    if not config.fax_sending.enabled:
        return None
    orders, rights = open_fax_orders(config, keys), open_rights(config, clock)
    ordering = _ordering(config, orders, _printer(config), clock)
    ordering = replace(ordering, counting=rights.rights)
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
        return OpenFaxes()
    orders, printer, line = open_fax_orders(config, keys), _printer(config), _line(config)
    rules = _rules(config)
    reports = order_reports(directory, notices, journal, fax_told, config)
    house = OrderHouse(directory, clock, reports.begins, reports.ends, rights, reports.recalls)
    sending = FaxSending(orders, printer, line, house, rules)
    ordering = _ordering(config, orders, printer, clock)
    ordering = replace(ordering, wake=sending.wake, counting=rights)
    listener = _listener(config, ordering, Senders(directory, clock))
    forward = FaxForwarding(ordering, fax_papers)
    return OpenFaxes(orders, sending, listener, forward, line)


def open_fax_orders(config: Config, keys: KeyRing) -> FaxOrderFiles:
    """The queue alone; to be shut by the caller."""
    return FaxOrderFiles(config.spool.directory / FOLDER, keys)


def fax_rights(config: Config) -> FaxRights:
    """What the site allows. Raises `BadConfig`."""
    table = config.fax_sending
    return FaxRights(dialling_of(table, config), table.limits(), config.rights.caps())


def _ordering(
    config: Config, orders: FaxOrderFiles, printer: FaxRendering, clock: Clock
) -> FaxOrdering:
    return FaxOrdering(
        orders, clock, printer=printer, rights=fax_rights(config), sites=config.rules().sites
    )


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
    site, trust = config.rules().site, Trust(table.mail_authentication)
    limits = ListenerLimits(
        largest=round(table.limits().octets * _MAIL_OVERHEAD),
        idle=_MAIL_SECONDS,
        longest=_MAIL_SECONDS * 5,
    )

    def desk(address: NumberAddress) -> FaxByMail:
        return FaxByMail(ordering, senders, address, site, fax_letter, trust)

    return order_listener(table, desk, limits)


def open_fax_pages(config: Config, keys: KeyRing, clock: Clock) -> OpenOrderPages:
    """For the portal, in the controller or alone; to be closed. Raises `BadConfig`."""
    opened = open_fax_ordering(config, keys, clock)
    if opened is None:
        return OpenOrderPages()
    limits = config.fax_sending.limits()
    return OpenOrderPages((FaxParts(opened.ordering, limits, media_type_of, as_pdf),), opened)
