"""The wizard beside real servers: what they do not take is told, and may be answered again."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import dns.resolver
import pytest

from tests.adapters.smtp_server import PASSWORD, USER, Postbox, mail_server
from tests.private_ca import PrivateCa
from tests.slapd import PASSWORD as DIRECTORY_PASSWORD
from tests.slapd import SERVICE, SUFFIX, slapd
from vm_ari.setup_wizard.directory_server import Unusable, look_at
from vm_ari.setup_wizard.draft import Draft
from vm_ari.setup_wizard.mails import ask_mails
from vm_ari.setup_wizard.network import smtp_door
from vm_ari.setup_wizard.surroundings import Surroundings
from vm_ari.setup_wizard.talk import Question, Stopped, Talk
from vm_ari.setup_wizard.users import ask_users

AROUND = Surroundings("pbx.example.org", "", "Europe/Berlin", "DE")


class Person:
    """Answers each question by its key; several answers one after the other."""

    talks = True

    def __init__(self, answers: Mapping[str, Sequence[str]]) -> None:
        self._answers = {key: list(each) for key, each in answers.items()}
        self.asked: list[str] = []

    def ask(self, question: Question) -> str:
        self.asked.append(question.key)
        given = self._answers.get(question.key)
        if given:
            return question.check(given.pop(0))
        if question.key.endswith(".anyway"):  # it would be asked for ever
            raise Stopped(f"{question.key} {self.asked}")
        assert question.default is not None, question.key
        return question.check(question.default)


@pytest.fixture(autouse=True)
def _no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = dns.resolver.Resolver(configure=False)
    monkeypatch.setattr(dns.resolver, "default_resolver", resolver)


def draft(base: Path) -> Draft:
    made = Draft(base / "vm-ari.toml")
    made.values["asterisk"] = {"password": "x"}
    return made


def test_a_mail_server_is_tried_until_it_takes_a_mail(tmp_path: Path) -> None:
    lines: list[str] = []
    made, postbox, ca = draft(tmp_path), Postbox(), PrivateCa(tmp_path)

    async def story() -> Person:
        async with mail_server(postbox, ca.identity(), account=True) as port:
            person = Person({
                "mail.sender": ["voicemail@example.org"],
                "smtp.server": ["localhost:1", f"localhost:{port}"],
                "smtp.ca_file": [str(ca.file), str(ca.file)],
                "smtp.user": [USER, USER, USER],
                "smtp.password": ["wrong", "wrong", PASSWORD],
                "smtp.anyway": ["change", "change", "change"],
                "smtp.test_mail": ["anna@example.org"],
            })  # fmt: skip
            talk = Talk(person, lines.append)
            ask = (talk, made, AROUND)
            await asyncio.to_thread(lambda: ask_mails(*ask, to="anna@example.org", ask=True))
        return person

    person = asyncio.run(story())
    told = "\n".join(lines)
    assert "localhost:1" in told
    assert "certificate" in told.lower()
    assert "Correct user and password" in told
    assert "wrong" not in told
    assert person.asked.count("smtp.anyway") == 3
    [(sender, recipients, content)] = postbox.mails
    assert (sender, recipients) == ("voicemail@example.org", ["anna@example.org"])
    assert b"Auto-Submitted: auto-generated" in content
    assert postbox.tls == [True]
    smtp = made.values["mail"]["smtp"]
    assert (smtp["ca_file"], smtp["user"]) == (str(ca.file), USER)


def test_a_directory_says_itself_what_it_is(tmp_path: Path) -> None:
    ca = PrivateCa(tmp_path)
    lines: list[str] = []
    with slapd(identity=ca.identity()) as server:
        root = look_at(server.tls_url, ca.file, plaintext=False)
        assert (root.preset, root.bases) == ("openldap", (SUFFIX,))
        with pytest.raises(Unusable) as caught:
            look_at(server.tls_url, None, plaintext=False)
        assert caught.value.untrusted
        person = Person({
            "ldap.server": [server.tls_url],
            "ldap.protection": ["ca"],
            "ldap.ca_file": [str(ca.file)],
            "ldap.account": [SERVICE],
            "ldap.password": [DIRECTORY_PASSWORD],
            "ldap.anyway": ["stop"],
        })  # fmt: skip
        with pytest.raises(Stopped, match="Nothing is written"):
            ask_users(Talk(person, lines.append), draft(tmp_path), AROUND, "ldap")
    told = "\n".join(lines)
    assert "answers over TLS and takes our password" in told
    assert "There are no users." in told, "it is empty"
    assert DIRECTORY_PASSWORD not in told


def test_nobody_at_the_port_is_nobody(tmp_path: Path) -> None:
    assert smtp_door("localhost", 1) is None
    with pytest.raises(Unusable, match=r"localhost:1.*"):
        look_at("ldap://localhost:1", None, plaintext=True)
    with pytest.raises(Unusable, match="CA file"):
        look_at("ldaps://localhost:1", tmp_path / "none.pem", plaintext=False)
