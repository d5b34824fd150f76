"""The message store, as configured: Maildirs of our own, or the users' mailboxes."""

import functools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from vm_ari.adapters.fax_mail import with_faxes
from vm_ari.adapters.imap.access import Access, Administrator, BadTemplate, OwnLogin, Way
from vm_ari.adapters.imap.address import IMAP, Patience
from vm_ari.adapters.imap.courier import ImapCourier, SmtpCourier
from vm_ari.adapters.imap.doorman import Doorman, Passwords, Rules
from vm_ari.adapters.imap.logins import TokenCommand, TokenFile, TokenSource
from vm_ari.adapters.imap.mailbox import ImapMailboxes
from vm_ari.adapters.imap.passwords import SealedPasswords
from vm_ari.adapters.imap.server_choice import OneServer, ServerChoice
from vm_ari.adapters.imap.server_rule import BadRule, ByAttribute, BySetting, ServerRule
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.ldap.raw_attributes import LdapAttributes
from vm_ari.adapters.maildir import MaildirCourier, MaildirMailboxes
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.server_address import Server
from vm_ari.adapters.templates import MailTemplates
from vm_ari.adapters.trust import BadAddress, trust
from vm_ari.adapters.voice_mail import Compose, compose
from vm_ari.config import BadConfig, Config
from vm_ari.config.mail import SmtpSettings
from vm_ari.config.store import ImapSettings
from vm_ari.ports import Courier, Mailboxes, UserRegister
from vm_ari.wiring.sending import with_sent_mails
from vm_ari.wiring.smtp import open_smtp

SETTLE = timedelta(seconds=60)
"""After a crash a mail server may still be storing what it was given."""


@dataclass(frozen=True)
class MessageStore:
    """Where messages are brought, and where they are heard."""

    mailboxes: Mailboxes
    courier: Courier
    settle: timedelta
    """So long after a crash it is not asked whether a message has arrived."""
    close: Callable[[], Coroutine[Any, Any, None]]
    doorman: Doorman | None = None
    """Who opens mailboxes on mail servers, where they are there."""
    counting: Mailboxes | None = None
    """The mailboxes for counts that nobody waits for, where that makes a difference."""


def open_store(
    config: Config, keys: KeyRing, register: UserRegister, work_directory: Path
) -> MessageStore:
    """Nothing is connected yet; to be closed by the caller. Raises `BadConfig`.

    *work_directory* is where audio lies that is being heard.
    """
    signing = keys.signing_keys("mail headers")
    left = functools.partial(
        compose,
        sender=config.mail.sender,
        templates=MailTemplates(config.templates),
        site=config.rules().site,
        audio_format=config.mail.audio_format,
        key=signing[0],
    )
    write = with_faxes(
        with_sent_mails(config, left, signing[0]),
        sender=config.mail.sender,
        templates=MailTemplates(config.templates),
        site=config.rules().site,
        key=signing[0],
    )
    if config.store.kind == "imap" and config.imap:
        doorman = open_doorman(config, keys, register)
        mailboxes = ImapMailboxes(
            doorman,
            signing_keys=signing,
            kind_rules=config.inbox.kind_rules(),
            work_directory=work_directory,
            heard_among=config.imap.heard_among,
        )
        courier = _courier(config, doorman, write)
        counting = mailboxes.in_background()
        return MessageStore(mailboxes, courier, SETTLE, doorman.close, doorman, counting)
    return MessageStore(
        MaildirMailboxes(
            config.store.maildir,
            deleted_folder=config.store.deleted_folder,
            signing_keys=signing,
            kind_rules=config.inbox.kind_rules(),
            work_directory=work_directory,
        ),
        MaildirCourier(config.store.maildir, write),
        timedelta(0),
        _nothing,
    )


def open_doorman(
    config: Config, keys: KeyRing, register: UserRegister, passwords: Passwords | None = None
) -> Doorman:
    """Who lets us into the users' mailboxes; to be closed by the caller. Raises `BadConfig`.

    *passwords* of users: usually those that are stored.
    """
    table = config.imap
    if table is None:
        raise BadConfig("imap: there is no such table; write one with server, access and account")
    try:
        patience = Patience(table.connect_seconds, table.answer_seconds, table.longest_seconds)
        rules = Rules(
            _access(table),
            config.store.deleted_folder,
            patience,
            table.connections,
            table.server_hosts,
        )
        context = None if table.plaintext else trust(table.ca_file)
        servers = _servers(table, register)
    except (BadAddress, BadTemplate, BadRule) as error:
        raise BadConfig(f"imap: {error}") from None
    return Doorman(rules, servers, passwords or SealedPasswords(register, keys), context)


def _access(table: ImapSettings) -> Access:
    administrator = own = None
    if table.access != "individual":
        administrator = Administrator(
            table.account, table.account_password(), Way(table.way), table.alias, table.path
        )
    if table.access != "administrative":
        own = OwnLogin(table.login, _tokens(table))
    return Access(administrator, own)


def _tokens(table: ImapSettings) -> TokenSource | None:
    if table.token_command:
        return TokenCommand(table.token_command)
    return TokenFile(table.token_file) if table.token_file else None


def _servers(table: ImapSettings, register: UserRegister) -> ServerChoice:
    usual = IMAP.server_at(table.server, plaintext=table.plaintext)
    return BySetting(usual, table.server_hosts, _site_servers(table, usual, register))


def _site_servers(table: ImapSettings, usual: Server, register: UserRegister) -> ServerChoice:
    if not table.server_attribute:
        return OneServer(usual)
    if not isinstance(register, LdapDirectory):
        raise BadConfig("imap.server_attribute: only directory servers have attributes")
    rule = ServerRule(table.server_search, table.server_replace, table.server_hosts)
    return ByAttribute(usual, LdapAttributes(register), table.server_attribute, rule)


def _courier(config: Config, doorman: Doorman, write: Compose) -> Courier:
    """By SMTP the mailbox is asked only whether a message has arrived."""
    by_append = ImapCourier(doorman, write)
    if config.imap is None or config.imap.delivery == "append":
        return by_append
    match config.mail.smtp:
        case SmtpSettings() as table:
            return SmtpCourier(open_smtp(table, config.mail.sender), write, by_append)
        case None:
            raise BadConfig(
                "imap.delivery: “smtp” needs a server; write a table [mail.smtp], or “append”"
            )


async def _nothing() -> None:
    """Maildirs need no closing."""
