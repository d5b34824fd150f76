"""Texts that are read to somebody on the telephone, as configured (SPEECH-04)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from vm_ari.adapters.ari.application import AriApplication
from vm_ari.adapters.fax_documents import fax_letter
from vm_ari.adapters.mail_listener import ListenerLimits, MailListener
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.spoken_line import AsteriskSpokenLine
from vm_ari.adapters.spoken_orders import SpokenOrderFiles
from vm_ari.config import Config
from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.spoken_call import serve_spoken_call
from vm_ari.domain.number_addresses import NumberAddress
from vm_ari.domain.site_mails import Trust
from vm_ari.domain.spoken_orders import SpokenRights
from vm_ari.ports import Clock, Directory, Notices, Voice
from vm_ari.services.order_sending import OrderHouse
from vm_ari.services.rights import Rights
from vm_ari.services.site_mails import Senders
from vm_ari.services.spoken_by_mail import SpokenByMail
from vm_ari.services.spoken_ordering import SpokenOrdering
from vm_ari.services.spoken_reports import spoken_told
from vm_ari.services.spoken_sending import SpokenRules, SpokenSending
from vm_ari.speech.language import language
from vm_ari.telephony.call import Call
from vm_ari.telephony.channel import Channel
from vm_ari.web.spoken_parts import SpokenParts
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

log = structlog.get_logger("vm_ari.calls")

FOLDER = "spoken-orders"
"""Below the spool."""
LARGEST_MAIL = 1_000_000
"""Octets: only its text is spoken."""

OpenSpokenOrdering = OpenOrdering[SpokenOrdering]


@dataclass(frozen=True)
class OpenSpoken(OrderWork):
    """What the controller has of them."""

    _sending: SpokenSending | None = None

    async def serve(self, line: Channel, arguments: Sequence[str], desk: Desk) -> None:
        """A call that was made for a message has been answered."""
        call_id = arguments[1] if len(arguments) > 1 else ""
        if self._sending is None or not call_id:
            log.error("spoken message refused", call=line.id, reason="nobody has ordered it")
            await line.hang_up()
            return
        call = Call(line, language(desk.rules.language))
        await serve_spoken_call(call, desk, self._sending, call_id)


def open_spoken_ordering(config: Config, keys: KeyRing, clock: Clock) -> OpenSpokenOrdering | None:
    """For a command, or the portal in a process of its own: to be closed by the caller.

    None where no messages are spoken. Raises `BadConfig`.
    """
    if not config.spoken_messages.enabled:
        return None
    orders, rights = _orders(config, keys), open_rights(config, clock)
    ordering = replace(_ordering(config, orders, clock), counting=rights.rights)
    return OpenSpokenOrdering(ordering, orders, rights)


def open_spoken(
    config: Config,
    keys: KeyRing,
    clock: Clock,
    directory: Directory,
    notices: Notices,
    journal: OpenJournal,
    rights: Rights,
    ari: AriApplication,
    voice: Voice,
) -> OpenSpoken:
    """For the controller; nothing is connected yet. Raises `BadConfig`."""
    table = config.spoken_messages
    if not table.enabled:
        return OpenSpoken()
    orders, rules = _orders(config, keys), _rules(config)
    reports = order_reports(directory, notices, journal, spoken_told, config)
    line = AsteriskSpokenLine(ari, config.dialling.endpoint, table.ring_seconds)
    house = OrderHouse(directory, clock, reports.begins, reports.ends, rights, reports.recalls)
    sending = SpokenSending(orders, line, voice, house, rules)
    ordering = replace(_ordering(config, orders, clock), wake=sending.wake, counting=rights)
    listener = _listener(config, ordering, Senders(directory, clock))
    return OpenSpoken(orders, sending, listener)


def spoken_rights(config: Config) -> SpokenRights:
    """What the site allows. Raises `BadConfig`."""
    table = config.spoken_messages
    caps = config.rights.caps()
    return SpokenRights(dialling_of(table, config), table.most_letters, caps, table.connect)


def _orders(config: Config, keys: KeyRing) -> SpokenOrderFiles:
    return SpokenOrderFiles(config.spool.directory / FOLDER, keys)


def _ordering(config: Config, orders: SpokenOrderFiles, clock: Clock) -> SpokenOrdering:
    return SpokenOrdering(
        orders,
        clock,
        languages=config.inbox.languages,
        rights=spoken_rights(config),
        sites=config.rules().sites,
        confirm=config.spoken_messages.confirm,
    )


def _rules(config: Config) -> SpokenRules:
    table = config.spoken_messages
    return SpokenRules(
        rights=spoken_rights(config),
        retries=table.retries(),
        hours=table.ringing_hours(),
        sites=config.rules().sites,
        lines=table.lines,
        keep=timedelta(days=table.keep_days),
    )


def _listener(config: Config, ordering: SpokenOrdering, senders: Senders) -> MailListener | None:
    table = config.spoken_messages
    site, trust = config.rules().site, Trust(table.mail_authentication)

    def desk(address: NumberAddress) -> SpokenByMail:
        return SpokenByMail(ordering, senders, address, site, fax_letter, trust)

    return order_listener(table, desk, ListenerLimits(largest=LARGEST_MAIL))


def open_spoken_pages(config: Config, keys: KeyRing, clock: Clock) -> OpenOrderPages:
    """For the portal, in the controller or alone; to be closed. Raises `BadConfig`."""
    opened = open_spoken_ordering(config, keys, clock)
    return OpenOrderPages((SpokenParts(opened.ordering),), opened) if opened else OpenOrderPages()
