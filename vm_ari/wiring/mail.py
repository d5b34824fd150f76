"""The mails of the system, as configured: which adapters they are is decided here only."""

import functools
from dataclasses import dataclass

from vm_ari.adapters.imap.doorman import Doorman
from vm_ari.adapters.imap.mailer import ImapMailer
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.ldap.raw_attributes import LdapAttributes, NoAttributes
from vm_ari.adapters.mail_queue import MailQueue
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.store_mailer import StoreMailer
from vm_ari.adapters.system_mail import BadSender, Sender, SystemMailWriter
from vm_ari.adapters.templates import MailTemplates
from vm_ari.adapters.user_guide import user_guide
from vm_ari.config import BadConfig, Config
from vm_ari.config.mail import SmtpSettings
from vm_ari.dialogues.guide import guide
from vm_ari.domain.guide import Guide
from vm_ari.domain.system_mails import INFORMATION_MAILS
from vm_ari.ports import Clock, Directory, Mailer, RawAttributes, UserRegister
from vm_ari.services.system_mails import SystemMails
from vm_ari.services.welcome import WelcomeMails
from vm_ari.telephony.menu import Action, KeyMap
from vm_ari.wiring.menus import open_keys
from vm_ari.wiring.smtp import open_smtp
from vm_ari.wiring.store import open_doorman


@dataclass(frozen=True)
class Post:
    """Everything about mails of the system."""

    queue: MailQueue
    mails: SystemMails
    """Also `ports.Notices`."""
    welcome: WelcomeMails
    own_doorman: Doorman | None = None
    """One that nobody else uses."""

    async def close(self) -> None:
        """Leave what is under way to the next start, and let go of the queue."""
        await self.welcome.stop()
        self.queue.close()
        if self.own_doorman:
            await self.own_doorman.close()


def open_post(
    config: Config,
    keys: KeyRing,
    clock: Clock,
    directory: Directory,
    register: UserRegister,
    *,
    doorman: Doorman | None = None,
) -> Post:
    """Nothing is connected yet; to be closed by the caller. Raises `BadConfig`.

    *doorman* opens the users' mailboxes where mails of the system go there; without one, an own one
    does.
    """
    sender = Sender(config.mail.system_sender or config.mail.sender, config.mail.system_sender_name)
    queue = MailQueue(config.mail.queue or config.spool.directory / "system-mails", keys)
    host = sender.address.rpartition("@")[2]
    own = None if doorman else _own_doorman(config, keys, register)
    way = _way(config, sender, directory, doorman or own)
    silent = () if config.mail.information else INFORMATION_MAILS
    mails = SystemMails(queue, way, _writer(config, sender), clock, host=host, silent=silent)
    key_map = open_keys(config)
    welcome = WelcomeMails(
        records=register,
        directory=directory,
        attributes=open_attributes(register),
        post=mails,
        clock=clock,
        rules=config.welcome_rules(key_map[Action.LOG_IN]),
        site=config.rules().site,
        login_rules=config.login_rules(),
        needs_address=config.mail.smtp is not None,
    )
    return Post(queue, mails, welcome, own)


def guide_pdf(config: Config, language: str, messages: bool) -> bytes:
    """The guide of the telephone menus. Raises `GuideUnwritable`."""
    pages = guide_of(config, open_keys(config), messages)
    return user_guide(pages, language, MailTemplates(config.templates), config.sounds)


def guide_of(config: Config, keys: KeyMap, messages: bool) -> Guide:
    """What users of this site can press with these keys."""
    return guide(
        keys.hiding(config.menus.hidden),
        messages=messages,
        sending=config.sending.enabled,
        login_number=config.welcome.login_number,
    )


def _writer(config: Config, sender: Sender) -> SystemMailWriter:
    templates = MailTemplates(config.templates)
    try:
        return SystemMailWriter(
            templates, sender, config.rules().site, functools.partial(guide_pdf, config)
        )
    except BadSender as error:
        raise BadConfig(f"mail.system_sender: {error}") from None


def open_attributes(register: UserRegister) -> RawAttributes:
    """Attributes of the directory that are none of ours; embedded directories have none."""
    return LdapAttributes(register) if isinstance(register, LdapDirectory) else NoAttributes()


def _own_doorman(config: Config, keys: KeyRing, register: UserRegister) -> Doorman | None:
    """None where no mailbox has to be opened."""
    if config.mail.smtp or config.store.kind == "local":
        return None
    return open_doorman(config, keys, register)


def _way(config: Config, sender: Sender, directory: Directory, doorman: Doorman | None) -> Mailer:
    """By SMTP where there is a server; else into the users' own mailboxes."""
    match config.mail.smtp, doorman:
        case SmtpSettings() as table, _:
            return open_smtp(table, sender.address, key="mail.system_sender")
        case None, Doorman():
            return ImapMailer(doorman, directory)
    return StoreMailer(config.store.maildir)
