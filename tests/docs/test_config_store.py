"""What cannot be meant of the message store is refused, with the key and what to do."""

import asyncio
from pathlib import Path

import pytest

from tests.docs.test_config import configured
from vm_ari.adapters.imap.access import Access, Administrator, OwnLogin, Way
from vm_ari.adapters.imap.courier import ImapCourier, SmtpCourier
from vm_ari.adapters.imap.logins import TokenCommand, TokenFile
from vm_ari.adapters.imap.mailbox import ImapMailboxes
from vm_ari.adapters.maildir import MaildirCourier, MaildirMailboxes
from vm_ari.adapters.sealing import KeyRing
from vm_ari.config import BadConfig
from vm_ari.wiring.directories import open_register
from vm_ari.wiring.store import MessageStore, open_doorman, open_store

IMAP = """
[store]
kind = "imap"
[imap]
server = "imaps://mail.example.org"
account = "admin"
password = "veiled"
"""
INDIVIDUAL = """
[store]
kind = "imap"
[imap]
server = "imap://mail.example.org"
access = "individual"
"""


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[store]\nfolders = ["a/b"]', "“a/b” cannot be the name of a folder"),
        ('[store]\nfolders = ["inbox"]', "INBOX is where new messages come"),
        ('[store]\nfolders = ["A", "A"]', "“A” is there twice; remove one"),
        ('[store]\nfolders = ["Deleted voice messages"]', "is that of deleted messages"),
        ('[site]\ndefault_recipient = "office"', "“office”: write a mail address"),
        ('[store]\nkind = "imap"', "store.kind is “imap”, but there is no table [imap]"),
        (IMAP.replace('kind = "imap"', ""), "imap: this table counts only with kind = “imap”"),
        (IMAP + "sever = 1", "imap.sever: unknown key; remove it or correct its spelling"),
        (IMAP.replace("imaps://", ""), "imap.server: “mail.example.org”: write imaps://host"),
        (IMAP + "plaintext = true", "plaintext: the server is imaps://, which is TLS"),
        (INDIVIDUAL + 'plaintext = true\nca_file = "{base}"', "plaintext needs no certificate"),
        (IMAP + 'ca_file = "{base}/none"', "ca_file: there is no file"),
        (IMAP.replace("account", "#"), "account: is missing; the administrator needs both"),
        (IMAP.replace("password =", "#"), "password_file or password: is missing"),
        (IMAP + 'password_file = "{base}/none"', "password: there is a password_file, too"),
        (INDIVIDUAL + 'account = "admin"', "account: individual access needs no administrator"),
        (IMAP + 'access = "both"\ntoken_file = "x"', "with tokens everybody has one"),
        (INDIVIDUAL + 'token_file = "x"\ntoken_command = ["y"]', "token_file: there is a token_co"),
        (IMAP + 'way = "somehow"', "imap.way: “somehow” does not fit; write acting-as"),
        (IMAP + 'server_attribute = "host"', "server_hosts: is missing"),
        (IMAP + "connections = 0", "imap.connections"),
        (IMAP + "heard_among = 0", "imap.heard_among"),
        ('[store]\ndeleted_folder = ""', "store.deleted_folder: “” cannot be the name of a folder"),
        ('[store]\ndeleted_folder = "a\\nb"', "cannot be the name of a folder"),
    ],
)
def test_what_cannot_be_meant_is_named_when_it_is_read(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(BadConfig) as caught:
        configured(tmp_path, text.replace("{base}", str(tmp_path)))
    assert complaint in str(caught.value), caught.value
    assert "veiled" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (IMAP.replace("mail.example.org", "h:99999"), "imap: imaps://h:99999"),
        (IMAP + 'alias = "${WHO}"', "imap: “${WHO}”: there is no ${WHO}; there are ${LOGIN}"),
        (INDIVIDUAL + 'login = "$LOGIN"', "a $ belongs to a name"),
        (IMAP + 'delivery = "smtp"', "write a table [mail.smtp], or “append”"),
        (
            IMAP + 'server_attribute = "o"\nserver_hosts = ["*"]\nserver_search = "("',
            "imap.server_attribute: only directory servers have attributes",
        ),
    ],
)
def test_what_an_adapter_cannot_use_is_named_when_it_is_made(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(BadConfig) as caught:
        store(tmp_path, text)
    assert complaint in str(caught.value), caught.value


def store(base: Path, text: str) -> MessageStore:
    config = configured(base, f'[directory]\nurl = "sqlite:///{base}/d.db"\n' + text)
    keys = KeyRing(base / "keys")
    made = open_store(config, keys, open_register(config, keys), base)
    asyncio.run(made.close())
    return made


def test_the_local_store_is_the_default(tmp_path: Path) -> None:
    made = store(tmp_path, "")
    assert isinstance(made.mailboxes, MaildirMailboxes)
    assert isinstance(made.courier, MaildirCourier)
    assert not made.settle


def test_messages_are_brought_by_append_or_by_smtp(tmp_path: Path) -> None:
    made = store(tmp_path, IMAP)
    assert isinstance(made.mailboxes, ImapMailboxes)
    assert isinstance(made.courier, ImapCourier)
    assert made.settle
    smtp = '[mail.smtp]\nhost = "mail.example.org"\n'
    assert isinstance(store(tmp_path, IMAP + f'delivery = "smtp"\n{smtp}').courier, SmtpCourier)


@pytest.mark.parametrize(
    ("more", "access"),
    [
        (IMAP, Access(Administrator("admin", "veiled"))),
        (
            IMAP + 'way = "alias"\nalias = "$(ADMIN)/$(LOGIN)"\n',
            Access(Administrator("admin", "veiled", Way.ALIAS, alias="$(ADMIN)/$(LOGIN)")),
        ),
        (
            IMAP + 'access = "both"\nlogin = "$(LOGIN)@example.org"\n',
            Access(Administrator("admin", "veiled"), OwnLogin("$(LOGIN)@example.org")),
        ),
        (INDIVIDUAL + 'token_file = "/run/t"', Access(None, OwnLogin(tokens=TokenFile("/run/t")))),
        (
            INDIVIDUAL + 'token_command = ["t", "{login}"]',
            Access(None, OwnLogin(tokens=TokenCommand(("t", "{login}")))),
        ),
    ],
)
def test_ways_of_access_are_what_the_configuration_says(
    tmp_path: Path, more: str, access: Access
) -> None:
    config = configured(tmp_path, more)
    keys = KeyRing(tmp_path / "keys")
    doorman = open_doorman(config, keys, open_register(config, keys))
    assert doorman.rules.access == access
    assert "veiled" not in repr(doorman.rules)
