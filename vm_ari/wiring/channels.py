"""SMS, webhook and calls about new messages, as configured: which adapters they go through."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import overload

from vm_ari.adapters.examination.web import examine_web
from vm_ari.adapters.findings import Finding
from vm_ari.adapters.holiday_calendar import public_holiday
from vm_ari.adapters.notice_queue import NoticeQueue
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.sms_by_http import BadTemplate, HttpGateway, SmsByHttp
from vm_ari.adapters.sms_by_mail import SmsByMail
from vm_ari.adapters.sms_words import SmsWords
from vm_ari.adapters.templates import MailTemplates
from vm_ari.adapters.trust import BadAddress
from vm_ari.adapters.web_requests import WebRequests
from vm_ari.adapters.webhook import Webhook
from vm_ari.config import BadConfig, Config
from vm_ari.config.channels import SmsSettings, WebhookSettings
from vm_ari.domain.number_addresses import NumberAddress
from vm_ari.domain.number_addresses import parse as parse_address
from vm_ari.ports import Clock, Directory, Mailboxes, Mailer, NoticeOutlet, SmsGateway
from vm_ari.services.locations import Locations
from vm_ari.services.notice_calls import Endpoint, NoticeCalls, usual_endpoint
from vm_ari.services.notice_sending import NoticeSending
from vm_ari.services.presence import Presence
from vm_ari.services.rights import Rights
from vm_ari.services.sms_notices import Location, SmsNotices, SmsRules, nowhere
from vm_ari.services.webhook_notices import WebhookNotices
from vm_ari.wiring.calls import open_telephones
from vm_ari.wiring.smtp import open_smtp


@dataclass(frozen=True)
class House:
    """What the ways need to know of users."""

    directory: Directory
    mailboxes: Mailboxes
    clock: Clock
    presence: Presence


class Outlets(Sequence[NoticeOutlet]):
    """The ways to tell users but lamp and mail, also those that are not configured."""

    def __init__(
        self,
        outlets: Sequence[NoticeOutlet],
        sending: NoticeSending,
        queue: NoticeQueue,
        servers: Sequence[WebRequests],
    ) -> None:
        self._outlets = tuple(outlets)
        self._sending = sending
        self._queue = queue
        self._servers = servers

    @overload
    def __getitem__(self, index: int) -> NoticeOutlet: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[NoticeOutlet]: ...
    def __getitem__(self, index: int | slice) -> NoticeOutlet | Sequence[NoticeOutlet]:
        return self._outlets[index]

    def __len__(self) -> int:
        return len(self._outlets)

    async def run(self) -> None:
        """Send what is kept, until cancelled; a command that only announces need not run it."""
        await self._sending.run()

    async def close(self) -> None:
        """Leave what is under way to the next start, and let go of the queue."""
        for server in self._servers:
            await server.close()
        self._queue.close()


def open_outlets(
    config: Config,
    keys: KeyRing,
    directory: Directory,
    mailboxes: Mailboxes,
    clock: Clock,
    *,
    presence: Presence | None = None,
    locations: Locations | None = None,
    location_header: str = "",
    rights: Rights | None = None,
) -> Outlets:
    """Nothing is connected yet; to be closed by the caller. Raises `BadConfig`.

    *presence*: who hears messages just now; *locations*: through which one SMS and calls go, also
    told to a gateway in that field of mails (NOTIFY-07).
    """
    house = House(directory, mailboxes, clock, presence or Presence())
    queue = open_notice_queue(config, keys)
    sending = NoticeSending(queue, clock)
    servers: list[WebRequests] = []
    gateway = open_gateway(config, clock, servers, location_header)
    sms = _sms(config, sending, gateway, locations.of if locations else nowhere, rights)
    calls = _calls(config, sending, house, locations.endpoint if locations else usual_endpoint)
    webhook = _webhook(config, sending, clock, servers)
    return Outlets((sms, calls, webhook), sending, queue, servers)


def open_notice_queue(config: Config, keys: KeyRing) -> NoticeQueue:
    """Where notices wait; to be closed by the caller."""
    return NoticeQueue(config.spool.directory / "notices", keys)


def open_gateway(
    config: Config, clock: Clock, servers: list[WebRequests], location_header: str = ""
) -> SmsGateway | None:
    """The one that is configured, if any; its connections are added to *servers*.

    Another kind of gateway, such as a modem or SMPP, is one more case here. Raises `BadConfig`.
    """
    match config.sms.way:
        case "mail":
            return _by_mail(config, clock, location_header)
        case "http":
            servers.append(web_server(config.sms, config.sms.url, "sms"))
            return _by_http(config.sms, servers[-1])
    return None


def web_server(table: SmsSettings | WebhookSettings, url: str, key: str) -> WebRequests:
    """Nothing is connected yet; to be closed by the caller. Raises `BadConfig`."""
    try:
        return WebRequests(url, ca_file=table.ca_file, seconds=table.timeout_seconds)
    except (BadAddress, ValueError) as error:
        raise BadConfig(f"{key}.url: {error}") from None


async def examine_sms(config: Config) -> Sequence[Finding]:
    """Can the gateway be reached? Raises `BadConfig`."""
    match config.sms.way:
        case "none":
            raise BadConfig("sms.way: no gateway is configured; write “http” or “mail”")
        case "mail":
            _mailer(config)
            return [Finding(True, "SMS go as mails: look at the part smtp.")]
    _by_http(config.sms, server := web_server(config.sms, config.sms.url, "sms"))
    return await examine_web(server, "sms", datetime.now(UTC))


async def examine_webhook(config: Config) -> Sequence[Finding]:
    """Can the receiver be reached? Raises `BadConfig`."""
    if config.webhook is None:
        raise BadConfig("webhook: there is no such table; write one with url and secret_file")
    server = web_server(config.webhook, config.webhook.url, "webhook")
    return await examine_web(server, "webhook", datetime.now(UTC))


def _sms(
    config: Config,
    sending: NoticeSending,
    gateway: SmsGateway | None,
    location: Location,
    rights: Rights | None,
) -> SmsNotices:
    sites = config.rules().sites
    try:
        dialling = config.sms.dialling(config.dialling_rules(), sites[0])
    except ValueError as error:
        raise BadConfig(str(error)) from None
    words = SmsWords(
        MailTemplates(Path(config.templates)),
        sites[0],
        config.mail.system_sender_name,
        config.welcome.login_number,
    )
    table = config.sms
    rules = SmsRules(dialling, sites, table.sender, table.give_up, table.per_day)
    return SmsNotices(sending, words, rules, gateway, location, rights)


def _calls(config: Config, sending: NoticeSending, house: House, endpoint: Endpoint) -> NoticeCalls:
    rules = config.notice_call.rules(config.dialling_rules(), config.welcome.login_number)
    return NoticeCalls(
        sending,
        open_telephones(config),
        house.directory,
        house.mailboxes,
        house.clock,
        rules,
        config.login_rules(),
        public_holiday,
        house.presence,
        endpoint,
    )


def _webhook(
    config: Config, sending: NoticeSending, clock: Clock, servers: list[WebRequests]
) -> WebhookNotices:
    table = config.webhook
    if table is None:
        return WebhookNotices(sending)
    servers.append(web_server(table, table.url, "webhook"))
    receiver = Webhook(servers[-1], table.url, table.secret(), clock)
    return WebhookNotices(sending, receiver, table.give_up)


def _by_mail(config: Config, clock: Clock, location_header: str) -> SmsByMail:
    table = config.sms
    return SmsByMail(
        mailer=_mailer(config),
        template=parse_address(table.mail_address, table.number_form),
        site=config.rules().site,
        sender=_mail_sender(config),
        clock=clock,
        subject=table.mail_subject,
        sender_template=_template(table),
        location_header=location_header,
    )


def _mailer(config: Config) -> Mailer:
    if config.mail.smtp is None:
        raise BadConfig("sms.way: “mail” needs a mail server; write a table [mail.smtp]")
    return open_smtp(config.mail.smtp, _mail_sender(config), key="sms.mail_sender")


def _mail_sender(config: Config) -> str:
    return config.sms.mail_sender or config.mail.system_sender or config.mail.sender


def _template(table: SmsSettings) -> NumberAddress | None:
    text = table.sender_address
    return parse_address(text, table.number_form) if text else None


def _by_http(table: SmsSettings, requests: WebRequests) -> SmsByHttp:
    gateway = HttpGateway(
        url=table.url,
        method=table.method,
        headers=table.headers,
        body=table.body,
        content_type=table.content_type,
        account=table.account,
        secret=table.secret(),
        success=table.success,
    )
    try:
        return SmsByHttp(gateway, requests)
    except BadTemplate as error:
        raise BadConfig(f"sms.{error}") from None
