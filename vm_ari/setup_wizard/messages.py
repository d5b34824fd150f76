"""The wizard's step about messages: Maildirs of our own, or mailboxes on mail servers."""

import re
from collections.abc import Mapping, Sequence

from vm_ari.domain.entries import Entry
from vm_ari.setup_wizard.authority import ask_for_authority
from vm_ari.setup_wizard.draft import Draft
from vm_ari.setup_wizard.network import answers, mail_servers, offered
from vm_ari.setup_wizard.surroundings import Surroundings
from vm_ari.setup_wizard.talk import Question, Talk
from vm_ari.setup_wizard.trials import tried
from vm_ari.wiring.check import Part

KINDS: Mapping[str, str] = {
    "local": "here, in Maildirs",
    "imap": "in the users' mailboxes on a mail server (IMAP)",
}
_ENTRANCES: Mapping[str, str] = {
    "acting-as": "an administrator, who acts as the user (SASL; Dovecot, Cyrus)",
    "alias": "an administrator by a login such as anna*vm-ari (Dovecot's master user)",
    "other-users": "an administrator with rights on the mailboxes (ACL, “other users”)",
    "individual": "each user's own password, which users store in the portal",
}


def ask_messages(
    talk: Talk, draft: Draft, around: Surroundings, people: Sequence[Entry], kind: str = ""
) -> None:
    """Where they lie. Raises `Stopped`."""
    talk.heading("Messages")
    if not kind:
        usual = "imap" if draft.get("directory.kind") == "ldap" else "local"
        known = draft.get("store.kind", usual)
        kind = talk.ask(Question("messages.kind", "Where shall messages lie?", known, KINDS))
    draft.put("store.kind", kind)
    if kind == "imap":
        MailServerStep(talk, draft, around, people).run()
        return
    if not draft.values.get("store", {}).get("moving"):
        draft.put("imap", None)
    talk.found(f"Maildirs below {draft.get('store.maildir', '/var/lib/vm-ari/mail')}")


class MailServerStep:
    """Server, and how we come into mailboxes there."""

    def __init__(
        self, talk: Talk, draft: Draft, around: Surroundings, people: Sequence[Entry]
    ) -> None:
        self._talk, self._draft, self._around, self._people = talk, draft, around, people
        self._table = dict(draft.values.get("imap", {}))

    def run(self) -> None:
        """Ask, and try. Raises `Stopped`."""
        self._talk.until_good("imap", self._ask, self._works)

    def _ask(self) -> None:
        talk, table = self._talk, self._table
        table["server"] = talk.ask(
            Question(
                "imap.server",
                "Address of the mail server",
                table.get("server") or _usual_server(self._around.domain) or None,
                check=_imap_url,
                more="imaps://host is TLS, imap://host STARTTLS.",
            )
        )
        self._ask_for_protection()
        if not table.get("plaintext"):
            ask_for_authority(talk, "imap", table)
        known = "individual" if table.get("access") == "individual" else table.get("way")
        entrance = talk.ask(
            Question("imap.way", "Who opens the mailboxes?", known or "acting-as", _ENTRANCES)
        )
        if entrance == "individual":
            table["access"] = entrance
            for key in ("way", "account", "password", "password_file"):
                table.pop(key, None)
            return
        table["access"] = table.get("access") if table.get("access") == "both" else None
        table["way"] = entrance
        self._ask_for_account()

    def _ask_for_protection(self) -> None:
        """Without TLS only on this machine; another authority is named where one is needed."""
        table = self._table
        local = re.match(r"imap://(localhost|127\.|\[::1\])", table["server"])
        if table.pop("plaintext", None) and not local:
            self._talk.say("  From now on the connection is protected.")
        if local:
            words = "The server is on this machine: do without TLS?"
            if self._talk.agrees("imap.plaintext", words, default=True, unattended=True):
                table["plaintext"] = True
                table.pop("ca_file", None)

    def _ask_for_account(self) -> None:
        talk, table = self._talk, self._table
        table["account"] = talk.ask(
            Question("imap.account", "Login name of the administrator", table.get("account"))
        )
        known = table.get("password") or None
        table["password"] = talk.ask(
            Question("imap.password", "Password of the administrator", known, secret=True)
        )
        table.pop("password_file", None)

    def _works(self) -> bool:
        self._draft.put_table("imap", self._table)
        return tried(self._talk, self._draft, [Part.IMAP], people=self._people)


def _usual_server(domain: str) -> str:
    """Published by the domain, on this machine, or where its mail goes."""
    for host, port in offered("_imaps._tcp", domain):
        return f"imaps://{host}" + ("" if port == 993 else f":{port}")
    if answers("localhost", 993):
        return "imaps://localhost"
    if answers("localhost", 143):
        return "imap://localhost"
    return next((f"imaps://{h.rstrip('.')}" for h in mail_servers(domain) if answers(h, 993)), "")


def _imap_url(text: str) -> str:
    if not re.fullmatch(r"imaps?://[^/\s]+/?", text):
        raise ValueError("Write imaps://host, or imap://host for STARTTLS.")
    return text.rstrip("/")
