"""The mails of the system, as configured: which adapters they are is decided here only."""

import functools
from dataclasses import dataclass

from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.ldap.raw_attributes import LdapAttributes, NoAttributes
from vm_ari.adapters.mail_queue import MailQueue
from vm_ari.adapters.no_mailer import NoMailer
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.smtp import BadTrust, SmtpMailer, SmtpSecurity, SmtpServer
from vm_ari.adapters.store_mailer import StoreMailer
from vm_ari.adapters.system_mail import BadSender, Sender, SystemMailWriter
from vm_ari.adapters.templates import MailTemplates
from vm_ari.adapters.user_guide import user_guide
from vm_ari.config import BadConfig, Config
from vm_ari.config_mail import SmtpSettings
from vm_ari.dialogues.guide import guide
from vm_ari.ports import Clock, Directory, Mailer, RawAttributes, UserRegister
from vm_ari.services.system_mails import SystemMails
from vm_ari.services.welcome import WelcomeMails
from vm_ari.telephony.menu import Action, load_key_map


@dataclass(frozen=True)
class Post:
    """Everything about mails of the system."""

    queue: MailQueue
    mails: SystemMails
    """Also `ports.Notices`."""
    welcome: WelcomeMails

    async def close(self) -> None:
        """Leave what is under way to the next start, and let go of the queue."""
        await self.welcome.stop()
        self.queue.close()


def open_post(
    config: Config,
    keys: KeyRing,
    clock: Clock,
    directory: Directory,
    register: UserRegister,
) -> Post:
    """Nothing is connected yet; to be closed by the caller. Raises `BadConfig`."""
    sender = Sender(config.mail.system_sender or config.mail.sender, config.mail.system_sender_name)
    queue = MailQueue(config.mail.queue or config.spool.directory / "system-mails", keys)
    host = sender.address.rpartition("@")[2]
    mails = SystemMails(queue, _mailer(config, sender), _writer(config, sender), clock, host=host)
    key_map = load_key_map(config.calls.key_map)
    welcome = WelcomeMails(
        records=register,
        directory=directory,
        attributes=_attributes(register),
        post=mails,
        clock=clock,
        rules=config.welcome.rules(key_map[Action.LOG_IN]),
        site=config.rules().site,
        login_rules=config.login_rules(),
        needs_address=config.mail.smtp is not None,
    )
    return Post(queue, mails, welcome)


def guide_pdf(config: Config, language: str, messages: bool) -> bytes:
    """The guide of the telephone menus. Raises `GuideUnwritable`."""
    keys = load_key_map(config.calls.key_map).hiding(config.menus.hidden)
    pages = guide(keys, messages=messages, login_number=config.welcome.login_number)
    return user_guide(pages, language, MailTemplates(config.templates), config.sounds)


def _writer(config: Config, sender: Sender) -> SystemMailWriter:
    templates = MailTemplates(config.templates)
    try:
        return SystemMailWriter(
            templates, sender, config.rules().site, functools.partial(guide_pdf, config)
        )
    except BadSender as error:
        raise BadConfig(f"mail.system_sender: {error}") from None


def _attributes(register: UserRegister) -> RawAttributes:
    return LdapAttributes(register) if isinstance(register, LdapDirectory) else NoAttributes()


def _mailer(config: Config, sender: Sender) -> Mailer:
    match config.mail.smtp:
        case SmtpSettings() as table:
            return _smtp(table, sender)
        case None if config.store.kind == "local":
            return StoreMailer(config.store.maildir)
    if config.welcome.enabled:  # users may still have to store the password of their mailbox
        raise BadConfig(
            "welcome.enabled: the messages are on a mail server, so this mail needs one to be "
            "sent by; write a table [mail.smtp]"
        )
    return NoMailer()


def _smtp(table: SmtpSettings, sender: Sender) -> SmtpMailer:
    server = SmtpServer(
        table.host,
        table.port,
        SmtpSecurity(table.security),
        table.user,
        table.account_password(),
        table.ca_file,
        table.timeout_seconds,
        table.called,
    )
    try:
        return SmtpMailer(server, sender.ascii)
    except BadTrust as error:
        raise BadConfig(f"mail.smtp: {error}") from None
    except BadSender as error:
        raise BadConfig(f"mail.system_sender: {error}") from None
