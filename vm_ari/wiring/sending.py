"""What users send by telephone, as configured: which adapters it goes through."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from vm_ari.adapters.forwarded_audio import ForwardedAudio
from vm_ari.adapters.outside_mail import OutsideMail, reply_address
from vm_ari.adapters.sent_mail import SentMailWriter
from vm_ari.adapters.templates import MailTemplates
from vm_ari.adapters.voice_mail import Compose
from vm_ari.config import BadConfig, Config
from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.sending import Line, Sending, Telephone
from vm_ari.domain.sending_rules import SendingRules
from vm_ari.domain.users import User
from vm_ari.ports import CallDirectory, Clock, Courier, Mailer, Notices, Spool
from vm_ari.services.default_recipient import DefaultRecipient
from vm_ari.services.dispatching import Dispatching, SendFax
from vm_ari.services.people import People
from vm_ari.services.sending_notices import SendingNotices
from vm_ari.services.sendings import Sendings
from vm_ari.wiring.smtp import open_smtp


@dataclass(frozen=True)
class SendingParts:
    """Everything about it."""

    config: Config
    spool: Spool
    directory: CallDirectory
    clock: Clock
    rules: SendingRules
    courier: Courier
    """Everything that lies in the spool goes through it."""
    refused: Callable[[VoiceMessage, str], Awaitable[None]]
    """Tells senders what could not be sent."""
    arrived: Callable[[VoiceMessage], Awaitable[None]]
    """Tells them what has arrived, where the site wants it."""
    people: People
    audio: ForwardedAudio

    def sendings(self, on_kept: Callable[[], None]) -> Sendings | None:
        """For dialogues; None where nothing can be sent. *on_kept* wakes the outbox."""
        if not self.config.sending.enabled:
            return None
        rules = self.config.rules()
        return Sendings(
            spool=self.spool,
            directory=self.directory,
            records=self.directory,
            people=self.people,
            clock=self.clock,
            limits=rules.limits,
            rules=self.rules,
            sites=rules.sites,
            host=self.config.mail.sender.rpartition("@")[2],
            on_kept=on_kept,
            reply_address=reply_address,
        )

    async def run(self) -> None:
        """What goes on beside the calls, until cancelled."""
        if self.config.sending.enabled:
            await self.people.keep_fresh()

    def close(self) -> None:
        """What is under way goes on after the next start."""
        self.audio.close()


def open_sending(
    config: Config,
    courier: Courier,
    spool: Spool,
    directory: CallDirectory,
    notices: Notices,
    clock: Clock,
    fax: SendFax | None = None,
) -> SendingParts:
    """To be closed by the caller; *courier* brings messages into the house. Raises `BadConfig`.

    *fax* sends faxes where this house does so itself.
    """
    rules, sites, audio = sending_rules(config), config.rules().sites, ForwardedAudio()
    dispatching = Dispatching(
        courier=courier,
        spool=spool,
        join=audio,
        compose=OutsideMail(_writer(config, key=None)),
        mailer=_mailer(config),
        rules=rules,
        sites=sites,
        fax=fax,
    )
    told = SendingNotices(
        directory,
        notices,
        sites[0],
        clock,
        DefaultRecipient(directory, config.rules()),
        config.sending.receipts,
    )
    return SendingParts(
        config,
        spool,
        directory,
        clock,
        rules,
        dispatching,
        told.refused,
        _but_faxes(told.arrived) if fax else told.arrived,
        People(directory),
        audio,
    )


def sending_rules(config: Config) -> SendingRules:
    """What the configuration says. Raises `BadConfig`."""
    site, by_mail = config.rules().site, config.mail.smtp is not None
    try:
        rules = config.sending.sending_rules(config.dialling_rules(), site, by_mail=by_mail)
    except ValueError as error:
        raise BadConfig(str(error)) from None
    return replace(rules, own_faxes=config.fax_sending.enabled)


def _but_faxes(
    arrived: Callable[[VoiceMessage], Awaitable[None]],
) -> Callable[[VoiceMessage], Awaitable[None]]:
    """A fax that was ordered has not arrived yet: its own report will tell."""

    async def told(message: VoiceMessage) -> None:
        sending = message.facts.sending
        if sending is None or not _is_fax(sending):
            await arrived(message)

    return told


def _is_fax(sending: Sending) -> bool:
    match sending.recipients:
        case (Telephone(line=Line.FAX),):
            return True
        case _:
            return False


def with_sent_mails(config: Config, left: Compose, key: bytes) -> Compose:
    """Writes what callers have *left*, and what users send."""
    sent = _writer(config, key)

    def write(message: VoiceMessage, user: User, *, plain: bool) -> bytes:
        return (left if message.facts.sending is None else sent)(message, user, plain=plain)

    return write


def _writer(config: Config, key: bytes | None) -> SentMailWriter:
    return SentMailWriter(
        sender=config.mail.sender,
        templates=MailTemplates(Path(config.templates)),
        site=config.rules().site,
        audio_format=config.mail.audio_format,
        key=key,
        from_user=config.sending.from_user,
    )


def _mailer(config: Config) -> Mailer | None:
    table = config.mail.smtp
    return open_smtp(table, config.mail.sender) if table else None
