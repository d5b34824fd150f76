"""One controller reduced to its mails, on a real directory, queue and store."""

import asyncio
import email.policy
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any, TypeVar

from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.ldap.raw_attributes import NoAttributes
from vm_ari.adapters.mail_queue import MailQueue
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.smtp import SmtpMailer, SmtpSecurity, SmtpServer
from vm_ari.adapters.store_mailer import StoreMailer
from vm_ari.adapters.system_mail import Sender, SystemMailWriter
from vm_ari.adapters.templates import MailTemplates
from vm_ari.config import shared_files
from vm_ari.domain.numbers import Site
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.domain.welcome import WelcomeRules
from vm_ari.ports import Mailer
from vm_ari.services.system_mails import SystemMails
from vm_ari.services.welcome import WelcomeMails

T = TypeVar("T")

SITE = Site(base_number="+4930555")
ANNA = User("anna", "Anna", "101", ("+4930555101",), "anna@example.org", "en")
RULES = WelcomeRules(enabled=True)
START = datetime(2026, 11, 22, 3, 0, 0, 500, tzinfo=UTC)


class SteppingClock:
    """Each look is a second later than the last."""

    def __init__(self) -> None:
        self._seconds = itertools.count()

    def now(self) -> datetime:
        return START + timedelta(seconds=next(self._seconds))


@dataclass
class Node:
    """One controller: a directory that it shares with others, a queue of its own."""

    base: Path
    directory: EmbeddedDirectory
    queue: MailQueue
    post: SystemMails
    welcome: WelcomeMails

    async def deliver(self) -> None:
        """What the loop does once."""
        await self.welcome.settle()
        await self.post.send_what_is_due()

    def mails(self, user: User = ANNA) -> list[EmailMessage]:
        """In the user's mailbox."""
        new = self.base / "mail" / user.mailbox / "new"
        files = sorted(new.iterdir()) if new.is_dir() else []
        return [_parsed(file) for file in files]


def _parsed(file: Path) -> EmailMessage:
    message = BytesParser(policy=email.policy.default).parsebytes(file.read_bytes())
    assert isinstance(message, EmailMessage)
    return message


def node(
    base: Path,
    rules: WelcomeRules = RULES,
    *,
    name: str = "one",
    mailer: Mailer | None = None,
    compose: Any = None,
    **how: Any,
) -> Node:
    keys = KeyRing(base / "keys")
    directory = EmbeddedDirectory(f"sqlite:///{base / 'users.db'}", keys)
    queue, clock = MailQueue(base / f"queue-{name}", keys), SteppingClock()
    writer = SystemMailWriter(
        MailTemplates(shared_files() / "templates"),
        Sender("voicemail@example.org", "Voicemail"),
        SITE,
        lambda language, messages: f"{language} {messages}".encode(),
    )
    mailer = mailer or StoreMailer(base / "mail")
    post = SystemMails(queue, mailer, compose or writer, clock, host="example.org")
    fields: dict[str, Any] = {"attributes": NoAttributes(), "site": SITE, **how}
    welcome = WelcomeMails(
        records=directory, directory=directory, post=post, clock=clock, rules=rules, **fields
    )
    return Node(base, directory, queue, post, welcome)


def by_smtp(port: int) -> SmtpMailer:
    server = SmtpServer("127.0.0.1", port, SmtpSecurity.NONE)
    return SmtpMailer(server, "voicemail@example.org")


def run(
    base: Path, story: Callable[[Node], Coroutine[Any, Any, T]], pin: str | None = None, **how: Any
) -> T:
    """With Anna, who has perhaps a PIN."""

    async def whole() -> T:
        one = node(base, **how)
        await one.directory.add_user(ANNA, pin)
        try:
            return await story(one)
        finally:
            await one.welcome.stop()
            await one.directory.close()

    return asyncio.run(whole())


def text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def pin_in(mail: EmailMessage) -> str:
    [line] = [line for line in text(mail).splitlines() if line.startswith("PIN: ")]
    return line.removeprefix("PIN: ")


async def told(one: Node, *names: str) -> None:
    for name in names:
        values = {"failures": 5, "when": START}
        person = replace(ANNA, id=name, mail=f"{name}@example.org")
        await one.post.tell(person, SystemMail.LOGIN_LOCKED, values, occasion="2026")
