"""The wizard's step about users: the embedded directory with a first one, or directory servers."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vm_ari.adapters.mail_writing import ascii_address
from vm_ari.adapters.sealing import KeyRing, KeysUnusable
from vm_ari.config import BadConfig, Config
from vm_ari.domain.entries import Entry
from vm_ari.domain.name_templates import to_ascii
from vm_ari.ports import DirectoryUnavailable
from vm_ari.setup_wizard.authority import existing_file
from vm_ari.setup_wizard.directory_server import RootEntry, Unusable, look_at, usual_server
from vm_ari.setup_wizard.draft import Draft
from vm_ari.setup_wizard.surroundings import Surroundings
from vm_ari.setup_wizard.talk import NO, YES, Question, Stopped, Talk
from vm_ari.setup_wizard.trials import tried
from vm_ari.wiring.check import Part
from vm_ari.wiring.directories import open_register

KINDS: Mapping[str, str] = {
    "embedded": "here, in a small database that comes with vm-ari",
    "ldap": "on directory servers (OpenLDAP, Active Directory, Domino, …)",
}


@dataclass(frozen=True)
class FirstUser:
    """Who has a mailbox in the embedded directory from the beginning."""

    name: str
    extension: str
    mail: str

    def entry(self, base_number: str) -> Entry:
        """As the directory keeps it, without a PIN."""
        given, _, surname = self.name.rpartition(" ")
        return Entry(
            id=_words(self.name) or f"u{self.extension}",
            name=self.name,
            given=given,
            surname=surname,
            mailbox=self.extension,
            numbers=(f"{base_number}{self.extension}",),
            mail=self.mail,
        )


def ask_users(talk: Talk, draft: Draft, around: Surroundings, kind: str = "") -> FirstUser | None:
    """Where they are; the first one, if the directory is new. Raises `Stopped`."""
    talk.heading("Users")
    if not kind:
        known = draft.get("directory.kind", "embedded")
        kind = talk.ask(Question("users.kind", "Where are your users?", known, KINDS))
    draft.put("directory.kind", kind)
    if kind == "ldap":
        DirectoryStep(talk, draft, around).run()
        return None
    draft.put("directory.ldap", None)
    if _somebody_is_there(draft):
        talk.found("the users of the directory that is configured stay")
        return None
    return _first_user(talk, around)


def _somebody_is_there(draft: Draft) -> bool:
    """A database that cannot be opened now is somebody's, too."""
    if not draft.before:
        return False
    try:
        config = draft.config()
        file = config.directory.url.removeprefix("sqlite:///")
        if file != config.directory.url and not Path(file).exists():
            return False
        return asyncio.run(_count(config)) > 0
    except (BadConfig, DirectoryUnavailable, KeysUnusable):
        return True


async def _count(config: Config) -> int:
    register = open_register(config, KeyRing(config.directory.keys))
    try:
        return len(await register.all_entries())
    finally:
        await register.close()


def _first_user(talk: Talk, around: Surroundings) -> FirstUser:
    name = talk.ask(Question("first.name", "Name of the first user", None, check=_name))
    extension = talk.ask(
        Question("first.extension", "Extension of that mailbox", None, check=_extension)
    )
    domain = around.domain or "localhost"
    usual = f"{_words(name)}@{domain}"
    mail = talk.ask(Question("first.mail", f"Mail address of {name}", usual, check=mail_address))
    return FirstUser(name, extension, mail)


class DirectoryStep:
    """Server, base and account; what kind of directory it is, the server says itself."""

    def __init__(self, talk: Talk, draft: Draft, around: Surroundings) -> None:
        self._talk, self._draft, self._around = talk, draft, around
        self._table = dict(draft.values.get("directory", {}).get("ldap", {}))
        self._root: RootEntry | None = None

    def run(self) -> None:
        """Ask, and try. Raises `Stopped`."""
        self._talk.until_good("ldap", self._ask, self._works)

    def _ask(self) -> None:
        self._root = None
        while self._root is None:
            self._ask_for_server()
            self._root = self._looked()
        root = self._root
        self._table["preset"] = root.preset
        self._talk.found(f"the directory is of the kind {root.preset}")
        bases = self._table.get("bases") or list(root.bases)
        base = self._talk.ask(
            Question(
                "ldap.base",
                "Where users lie below",
                bases[0] if bases else None,
                check=_distinguished,
            )
        )
        self._table["bases"] = [base, *self._table.get("bases", [])[1:]]
        self._ask_for_account()

    def _ask_for_server(self) -> None:
        known = next(iter(self._table.get("servers", [])), "")
        usual = known or usual_server(self._around.domain)
        url = self._talk.ask(
            Question(
                "ldap.server",
                "Address of the directory server",
                usual or None,
                check=_ldap_url,
                more="ldaps://host is TLS, ldap://host StartTLS.",
            )
        )
        self._table["servers"] = [url, *self._table.get("servers", [])[1:]]
        if url != known:
            self._table.pop("plaintext", None)

    def _looked(self) -> RootEntry | None:
        """None: nothing can be learnt there as long as the answers stay. Raises `Stopped`."""
        try:
            return self._look()
        except Unusable as error:
            self._talk.bad(str(error), error.advice)
            if error.untrusted and self._protects_otherwise():
                try:
                    return self._look()
                except Unusable as again:
                    self._talk.bad(str(again), again.advice)
        question = Question(
            "ldap.another_server", "Another address?", YES, {YES: "", NO: ""}, unattended=NO
        )
        if self._talk.ask(question) == NO:
            raise Stopped("Nothing is written: without a directory there are no users.")
        return None

    def _look(self) -> RootEntry:
        ca_file = self._table.get("ca_file")
        return look_at(
            self._table["servers"][0],
            Path(ca_file) if ca_file else None,
            plaintext=bool(self._table.get("plaintext")),
        )

    def _protects_otherwise(self) -> bool:
        """Another authority; no protection at all is offered on this machine only."""
        choices = {"ca": "name the file of the authority that signed the certificate"}
        if re.match(r"ldap://(localhost|127\.|\[::1\])", self._table["servers"][0]):
            choices["plaintext"] = "do without TLS: the server is on this machine"
        choices["other"] = "something else"
        question = Question("ldap.protection", "How then?", next(iter(choices)), choices)
        match self._talk.ask(question):
            case "ca":
                self._table["ca_file"] = self._talk.ask(
                    Question(
                        "ldap.ca_file", "Path of the authority (PEM)", None, check=existing_file
                    )
                )
            case "plaintext":
                self._table["plaintext"] = True
            case _:
                return False
        return True

    def _ask_for_account(self) -> None:
        talk, table = self._talk, self._table
        table["account"] = talk.ask(
            Question(
                "ldap.account",
                "Account that reads users and writes settings (its distinguished name)",
                table.get("account") or None,
                check=_distinguished,
            )
        )
        known = table.get("password") or ("" if not table.get("password_file") else "-")
        password = talk.ask(Question("ldap.password", "Its password", known or None, secret=True))
        if password != "-":  # noqa: S105  # the mark of one that lies in a file
            table.pop("password_file", None)
            table["password"] = password

    def _works(self) -> bool:
        self._draft.put_table("directory.ldap", self._table)
        return tried(self._talk, self._draft, [Part.DIRECTORY])


def _name(text: str) -> str:
    clean = " ".join(text.split())
    if not 1 <= len(clean) <= 60 or not clean.isprintable():
        raise ValueError("Write a name of up to 60 characters.")
    return clean


def _extension(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,10}", text):
        raise ValueError("Write digits, as telephones dial them inside, such as 101.")
    return text


def mail_address(text: str) -> str:
    """As it is. Raises ValueError for what is none."""
    if ascii_address(text) is None:
        raise ValueError("Write a mail address, such as anna.berg@example.com.")
    return text


def _words(name: str) -> str:
    """As part of an address."""
    return re.sub(r"[^a-z0-9]+", ".", to_ascii(name).lower()).strip(".")


def _ldap_url(text: str) -> str:
    if not re.fullmatch(r"ldaps?://[^/\s]+/?", text):
        raise ValueError("Write ldaps://host, or ldap://host for StartTLS.")
    return text.rstrip("/")


def _distinguished(text: str) -> str:
    if "=" not in text:
        raise ValueError("Write a distinguished name, such as dc=example,dc=org.")
    return text
