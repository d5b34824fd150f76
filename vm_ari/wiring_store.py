"""The message store, as configured: Maildirs of our own, or the users' mailboxes."""

import functools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from vm_ari.adapters.imap.access import Access, Administrator, BadTemplate, OwnLogin, Way
from vm_ari.adapters.imap.address import Patience, server_at
from vm_ari.adapters.imap.courier import ImapCourier, SmtpCourier
from vm_ari.adapters.imap.doorman import Doorman, OneServer, Rules, ServerChoice
from vm_ari.adapters.imap.logins import TokenCommand, TokenFile, TokenSource
from vm_ari.adapters.imap.mailbox import ImapMailboxes
from vm_ari.adapters.imap.passwords import SealedPasswords
from vm_ari.adapters.imap.server_rule import BadRule, ByAttribute, ServerRule
from vm_ari.adapters.ldap.address import BadAddress, trust
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.ldap.raw_attributes import LdapAttributes
from vm_ari.adapters.mail_writing import ascii_address
from vm_ari.adapters.maildir import MaildirCourier, MaildirMailboxes
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.smtp import BadTrust, SmtpMailer, SmtpSecurity, SmtpServer
from vm_ari.adapters.templates import MailTemplates
from vm_ari.adapters.voice_mail import Compose, compose
from vm_ari.config import BadConfig, Config
from vm_ari.config_mail import SmtpSettings
from vm_ari.config_store import ImapSettings
from vm_ari.ports import Courier, Mailboxes, UserRegister

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


def open_store(
    config: Config, keys: KeyRing, register: UserRegister, work_directory: Path
) -> MessageStore:
    """Nothing is connected yet; to be closed by the caller. Raises `BadConfig`.

    *work_directory* is where audio lies that is being heard.
    """
    signing = keys.signing_keys("mail headers")
    write = functools.partial(
        compose,
        sender=config.mail.sender,
        templates=MailTemplates(config.templates),
        site=config.rules().site,
        audio_format=config.mail.audio_format,
        key=signing[0],
    )
    if config.store.kind == "imap" and config.imap:
        doorman = open_doorman(config, keys, register)
        mailboxes = ImapMailboxes(
            doorman,
            signing_keys=signing,
            work_directory=work_directory,
            heard_among=config.imap.heard_among,
        )
        return MessageStore(mailboxes, _courier(config, doorman, write), SETTLE, doorman.close)
    return MessageStore(
        MaildirMailboxes(
            config.store.maildir,
            deleted_folder=config.store.deleted_folder,
            signing_keys=signing,
            work_directory=work_directory,
        ),
        MaildirCourier(config.store.maildir, write),
        timedelta(0),
        _nothing,
    )


def open_doorman(config: Config, keys: KeyRing, register: UserRegister) -> Doorman:
    """Who lets us into the users' mailboxes; to be closed by the caller. Raises `BadConfig`."""
    table = config.imap
    if table is None:
        raise BadConfig("imap: there is no such table; write one with server, access and account")
    try:
        patience = Patience(table.connect_seconds, table.answer_seconds, table.longest_seconds)
        rules = Rules(_access(table), config.store.deleted_folder, patience, table.connections)
        context = None if table.plaintext else trust(table.ca_file)
        servers = _servers(table, register)
    except (BadAddress, BadTemplate, BadRule) as error:
        raise BadConfig(f"imap: {error}") from None
    return Doorman(rules, servers, SealedPasswords(register, keys), context)


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
    usual = server_at(table.server, plaintext=table.plaintext)
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
            return SmtpCourier(_smtp(table, config.mail.sender), write, by_append)
        case None:
            raise BadConfig(
                "imap.delivery: “smtp” needs a server; write a table [mail.smtp], or “append”"
            )


def _smtp(table: SmtpSettings, sender: str) -> SmtpMailer:
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
    address = ascii_address(sender)
    if address is None:
        raise BadConfig(f"mail.sender: “{sender}” is no mail address")
    try:
        return SmtpMailer(server, address)
    except BadTrust as error:
        raise BadConfig(f"mail.smtp: {error}") from None


async def _nothing() -> None:
    """Maildirs need no closing."""
