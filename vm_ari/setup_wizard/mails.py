"""The wizard's step about mails of the system: by which server they leave."""

import asyncio
import re
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from vm_ari.adapters.findings import Finding
from vm_ari.config import BadConfig
from vm_ari.domain.system_mails import Recipient
from vm_ari.ports import DeliveryPostponed, DeliveryRefused
from vm_ari.setup_wizard.authority import ask_for_authority
from vm_ari.setup_wizard.draft import Draft
from vm_ari.setup_wizard.network import SmtpDoor, mail_servers, smtp_door
from vm_ari.setup_wizard.surroundings import Surroundings
from vm_ari.setup_wizard.talk import Question, Talk
from vm_ari.setup_wizard.trials import tried
from vm_ari.setup_wizard.users import mail_address
from vm_ari.wiring.check import Part
from vm_ari.wiring.smtp import open_smtp

_NONE = "none"


def ask_mails(talk: Talk, draft: Draft, around: Surroundings, *, to: str, ask: bool) -> None:
    """Sender and server; *to* is whom a test mail may go to. Raises `Stopped`."""
    talk.heading("Mails of the system")
    MailsStep(talk, draft, around, ask=ask).run()
    if draft.values.get("mail", {}).get("smtp"):
        _offer_a_mail(talk, draft, to)


class MailsStep:
    """A server that takes mails; or none, and they go into the users' mailboxes."""

    def __init__(self, talk: Talk, draft: Draft, around: Surroundings, *, ask: bool) -> None:
        self._talk, self._draft, self._around, self._ask_anyway = talk, draft, around, ask
        self._table = dict(draft.values.get("mail", {}).get("smtp", {}))

    def run(self) -> None:
        """Ask, and try. Raises `Stopped`."""
        self._sender()
        self._talk.until_good("smtp", self._ask, self._works)

    def _sender(self) -> None:
        domain = self._around.domain or "localhost"
        known = self._draft.get("mail.sender", f"voicemail@{domain}")
        question = Question("mail.sender", "Sender of mails", known, check=mail_address)
        sender = self._talk.ask(question) if self._ask_anyway else known
        self._draft.put("mail.sender", sender)

    def _ask(self) -> None:
        found = None if self._table else _usual_door(self._around.domain)
        if not self._ask_anyway and not self._table:
            self._take(found, asked=False)
            return
        known = self._given() or (f"{found.host}:{found.port}" if found else _NONE)
        server = self._talk.ask(
            Question(
                "smtp.server",
                "Mail server that takes them",
                known,
                check=_server,
                more="host or host:port; “none”: they are put into the users' mailboxes.",
            )
        )
        if server == _NONE:
            self._table = {}
            return
        host, _, port = server.rpartition(":") if re.search(r":\d+$", server) else (server, "", "")
        door = smtp_door(host, int(port or 0))
        if door is None:
            self._table = {"host": host, "port": int(port or 0)}
            return
        self._take(door, asked=True)

    def _take(self, door: SmtpDoor | None, *, asked: bool) -> None:
        if door is None:
            self._talk.found("no mail server was found: mails go into the users' mailboxes")
            return
        self._talk.found(f"mails leave by {door}")
        table = self._table
        table |= {"host": door.host, "port": door.port, "security": door.security}
        if door.security == "none":
            table.pop("ca_file", None)
        if asked and door.security != "none":
            ask_for_authority(self._talk, "smtp", table)
            self._ask_for_account()  # many say only under TLS whether they want one

    def _ask_for_account(self) -> None:
        talk, table = self._talk, self._table
        user = talk.ask(
            Question("smtp.user", "Login name there", table.get("user", ""), more="Empty: none.")
        )
        for key in ("user", "password", "password_file"):
            known = table.pop(key, "") if key == "password" else table.pop(key, None)
        if user:
            secret = Question("smtp.password", "Its password", known or None, secret=True)
            table |= {"user": user, "password": talk.ask(secret)}

    def _given(self) -> str:
        host, port = self._table.get("host", ""), self._table.get("port", 0)
        return f"{host}:{port}" if host and port else host

    def _works(self) -> bool:
        table = dict(self._table)
        if table.get("security") == "starttls":
            del table["security"]
        if not table.get("port"):
            table.pop("port", None)
        self._draft.values.setdefault("mail", {}).pop("smtp", None)
        if not table:
            return True
        self._draft.put_table("mail.smtp", table)
        return tried(self._talk, self._draft, [Part.SMTP])


def _usual_door(domain: str) -> SmtpDoor | None:
    """On this machine, or where the domain's mail goes."""
    for host in ("localhost", *mail_servers(domain)):
        if door := smtp_door(host.rstrip(".")):
            return door
    return None


def _offer_a_mail(talk: Talk, draft: Draft, to: str) -> None:
    """One that really leaves."""
    question = Question(
        "smtp.test_mail",
        "Send a test mail to (empty: to nobody)",
        "",
        check=lambda text: mail_address(text) if text else "",
        more=f"Such as {to}." if to else "",
    )
    address = talk.ask(question)
    if not address:
        return
    try:
        config = draft.config()
        assert config.mail.smtp
        mailer = open_smtp(config.mail.smtp, config.mail.sender)
        mail = _test_mail(config.mail.sender, address)
        recipient = Recipient("", "", address)
        asyncio.run(mailer.send(bytes(mail), recipient, message_id=str(mail["Message-ID"])))
    except (BadConfig, DeliveryPostponed, DeliveryRefused) as error:
        talk.bad(f"The mail did not leave: {error}.")
        return
    talk.tell([Finding(True, f"A mail to {address} was taken by {mailer.where}.")])


def _test_mail(sender: str, recipient: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, recipient
    mail["Subject"] = "vm-ari: a test mail"
    mail["Date"] = formatdate(localtime=True)
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("This is the test mail that vm-ari init was asked for.\n")
    return mail


def _server(text: str) -> str:
    if not re.fullmatch(r"\[?[A-Za-z0-9._:-]+\]?(:\d{1,5})?", text):
        raise ValueError("Write host or host:port, or “none”.")
    return text
