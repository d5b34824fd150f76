"""Where folders lie, what templates make, which server has whose mailbox: without a server."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.adapters.mailbox_contract import ANNA
from vm_ari.adapters.imap.access import (
    Access,
    Administrator,
    BadTemplate,
    Home,
    NoAccess,
    OwnLogin,
    Way,
    filled,
    variables,
)
from vm_ari.adapters.imap.address import IMAP
from vm_ari.adapters.imap.logins import PasswordLogin, TokenCommand, TokenLogin
from vm_ari.adapters.imap.server_rule import BadRule, ByAttribute, ServerRule
from vm_ari.adapters.imap.session import Namespace
from vm_ari.adapters.imap.structure import AudioPart, audio_part
from vm_ari.adapters.server_address import Server
from vm_ari.adapters.trust import BadAddress, Security
from vm_ari.ports import DirectoryUnavailable

DOVECOT = Namespace("/", "", "user/")
CYRUS = Namespace(".", "INBOX.", "user.")


@pytest.mark.parametrize(
    ("home", "space", "folder", "names"),
    [
        (Home(), DOVECOT, "INBOX", ["INBOX"]),
        (Home(), DOVECOT, "inbox", ["INBOX"]),
        (Home(), DOVECOT, "INBOX/Voice", ["INBOX/Voice"]),
        (Home(), DOVECOT, "Deleted", ["Deleted"]),
        (Home(), CYRUS, "INBOX/Voice", ["INBOX.Voice"]),
        (Home(), CYRUS, "Deleted", ["INBOX.Deleted"]),
        (Home("anna"), DOVECOT, "INBOX", ["user/anna", "user/anna/INBOX"]),
        (Home("anna"), CYRUS, "INBOX/Voice", ["user.anna.Voice", "user.anna.INBOX.Voice"]),
        (Home("anna"), CYRUS, "Deleted/Voice", ["user.anna.Deleted.Voice"]),
        (Home("", "user/anna/INBOX"), DOVECOT, "INBOX", ["user/anna/INBOX"]),
        (Home("", "user/anna/INBOX"), DOVECOT, "Deleted", ["user/anna/Deleted"]),
        (Home("", "user.anna"), CYRUS, "Deleted", ["user.anna.Deleted"]),
        (Home("", "user.anna"), CYRUS, "INBOX/Voice", ["user.anna.Voice"]),
    ],
)
def test_folders_are_named_as_the_server_wants(
    home: Home, space: Namespace, folder: str, names: Sequence[str]
) -> None:
    assert list(home.folder(folder, space)) == names


def test_a_server_without_a_namespace_of_others_is_told_from_a_missing_folder() -> None:
    with pytest.raises(NoAccess, match="way = “path”"):
        Home("anna").folder("INBOX", Namespace())


@pytest.mark.feature("MAIL-03")
@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("$(LOGIN)", "anna"),
        ("${login}", "anna"),
        ("example\\$(LOGIN)", "example\\anna"),
        ("domain/$(LOGIN)", "domain/anna"),
        ("$(LOGIN)@example.com", "anna@example.com"),
        ("$(MAILBOX)", "anna.grosse"),
        ("$(MAIL)", "anna.grosse@example.org"),
        ("${NUMBER}@${DOMAIN}", "101@example.org"),
    ],
)
def test_own_logins_are_made_by_templates(template: str, name: str) -> None:
    user = replace(ANNA, mail="anna.grosse@example.org")
    entrance = Access(own=OwnLogin(template)).entrance(user, "secret")
    assert entrance.login == PasswordLogin(name, "secret")
    assert "secret" not in repr(entrance)


@pytest.mark.parametrize("template", ["$(LOGNI)", "${}", "$LOGIN", "${LOGIN"])
def test_a_template_that_means_nothing_is_refused(template: str) -> None:
    with pytest.raises(BadTemplate):
        OwnLogin(template)


def test_what_the_directory_lacks_is_named() -> None:
    with pytest.raises(NoAccess, match=r"no \$\{MAIL\} for “\$\(MAIL\)”"):
        filled("$(MAIL)", variables(replace(ANNA, mail="")))


def test_who_is_known_by_a_mail_address_only_has_the_login_of_it() -> None:
    """The default recipient (CALL-09) is in no directory."""
    nobody = replace(ANNA, id="default-recipient", mailbox="", mail="office@example.org")
    entrance = Access(Administrator("admin", "pw")).entrance(nobody, None)
    assert entrance.login == PasswordLogin("admin", "pw", acts_as="office")


def test_tokens_need_no_password() -> None:
    source = TokenCommand(("token",))
    entrance = Access(own=OwnLogin(tokens=source)).entrance(ANNA, None)
    assert entrance.login == TokenLogin("anna", source)


@pytest.mark.parametrize("way", Way)
def test_two_users_never_share_a_place(way: Way) -> None:
    """What is remembered of folders goes by login and folder name."""
    access = Access(Administrator("admin", "pw", way))
    bert = replace(ANNA, id="bert", mail="bert@example.org")
    one, other = (access.entrance(user, None) for user in (ANNA, bert))
    names = [e.home.folder("INBOX", DOVECOT) for e in (one, other)]
    assert (one.login.key, names[0]) != (other.login.key, names[1])


# --- which server


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("imaps://mail.example.org", Server("mail.example.org", 993, Security.TLS)),
        ("imap://mail.example.org", Server("mail.example.org", 143, Security.START_TLS)),
        ("imap://[::1]:1143/", Server("::1", 1143, Security.START_TLS)),
    ],
)
def test_addresses(url: str, server: Server) -> None:
    assert IMAP.server_at(url) == server


@pytest.mark.parametrize(
    "url", ["mail.example.org", "http://h", "imaps://", "imaps://h:99999", "imaps://h/x?y"]
)
def test_addresses_that_cannot_be_meant(url: str) -> None:
    with pytest.raises(BadAddress):
        IMAP.server_at(url)


RULE = ServerRule("^cn=(.*),O=domain", "\\1.domain.net", ["*.domain.net"])


@pytest.mark.feature_part("MAIL-04", "from a directory attribute by search and replace")
def test_a_rule_makes_a_host_of_an_attribute() -> None:
    assert RULE.host("cn=MS01,O=domain") == "MS01.domain.net"


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("O=other", "does not fit “O=other”"),
        ("cn=evil.example.org/,O=domain", "no host"),
        ("cn=a b,O=domain", "no host"),
        ("cn=" + "x" * 600 + ",O=domain", "does not fit"),
        ("cn=evil.org?,O=domain", "no host"),
    ],
)
def test_a_rule_leads_nowhere_else(value: str, complaint: str) -> None:
    with pytest.raises(NoAccess, match=complaint):
        RULE.host(value)


def test_only_allowed_servers_are_told_a_password() -> None:
    rule = ServerRule("^(.*)$", "\\1", ["*.example.org", "ms.example.com"])
    assert rule.host("a.example.org") == "a.example.org"
    assert rule.host("MS.example.com") == "MS.example.com"
    for host in ("example.org.evil.net", "evil-example.org", "evil.net"):
        with pytest.raises(NoAccess, match="not among the allowed ones"):
            rule.host(host)


@pytest.mark.parametrize(("search", "replace_by"), [("(", "x"), ("(a)", "\\2"), ("a", "\\g<b>")])
def test_an_expression_that_cannot_work_is_refused(search: str, replace_by: str) -> None:
    with pytest.raises(BadRule):
        ServerRule(search, replace_by, ["*"])


class Attributes:
    """A directory with one attribute, or one that is away."""

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self.values = values
        self.away = False

    async def attributes(self, user_id: str, names: Sequence[str]) -> Mapping[str, Sequence[str]]:
        if self.away:
            raise DirectoryUnavailable("away")
        return {name: self.values.get(user_id, ()) for name in names}


def test_each_user_has_a_server_and_keeps_it_while_the_directory_is_away() -> None:
    usual = Server("usual.domain.net", 993)
    attributes = Attributes({"anna": ["cn=MS01,O=domain"], "bert": []})
    choice = ByAttribute(usual, attributes, "server", RULE)
    bert = replace(ANNA, id="bert")

    async def story() -> None:
        there = Server("MS01.domain.net", 993)
        assert (await choice.server_of(ANNA)).server == there
        assert (await choice.server_of(bert)).server == usual
        attributes.away = True
        assert (await choice.server_of(ANNA)).server == there
        with pytest.raises(DirectoryUnavailable):
            await choice.server_of(replace(ANNA, id="carla"))

    asyncio.run(story())


# --- where the audio is


def leaf(kind: bytes, subtype: bytes, *more: Any, size: int = 100) -> tuple[Any, ...]:
    return (kind, subtype, (b"NAME", b"x"), None, None, b"BASE64", size, *more)


TEXT, WAV = leaf(b"TEXT", b"PLAIN", 3), leaf(b"AUDIO", b"X-WAV")
NAMED = leaf(b"APPLICATION", b"OCTET-STREAM", None, (b"ATTACHMENT", (b"FILENAME", b"A.WAV")), None)


@pytest.mark.parametrize(
    ("structure", "section"),
    [
        (WAV, "1"),
        (([TEXT, WAV], b"MIXED"), "2"),
        (([([TEXT, TEXT], b"ALTERNATIVE"), WAV], b"MIXED"), "2"),
        (([TEXT, ([TEXT, WAV], b"MIXED")], b"MIXED"), "2.2"),
        (([TEXT, NAMED], b"MIXED"), "2"),
    ],
)
def test_the_audio_of_a_message_is_found(structure: Any, section: str) -> None:
    assert audio_part(structure) == AudioPart(section, "base64", 100)


def nested(depth: int) -> Any:
    structure: Any = WAV
    for _ in range(depth):
        structure = ([structure], b"MIXED")
    return structure


@pytest.mark.parametrize(
    "structure",
    [
        None,
        (),
        b"AUDIO",
        TEXT,
        ([TEXT], b"MIXED"),
        nested(6),
        nested(400),
        ([TEXT] * 60 + [WAV], b"MIXED"),
        (b"AUDIO", b"WAV"),
        (None,) * 12,
        (b"AUDIO", b"WAV", None, None, None, None, None),
        ([(), None, 5, b"x"], b"MIXED"),
    ],
)
def test_what_has_no_audio_within_the_limits_is_harmless(structure: Any) -> None:
    assert audio_part(structure) is None
