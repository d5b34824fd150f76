"""Mails become spoken messages: a real SMTP client brings them to the real listener (SPEECH-04)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from ipaddress import ip_network
from pathlib import Path

import pytest
from aiosmtplib import SMTP, SMTPRecipientsRefused, SMTPResponseException

from tests.fakes import FakeDirectory
from tests.patience import AT_MOST
from vm_ari.adapters.fax_documents import fax_letter
from vm_ari.adapters.mail_listener import MailListener
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.spoken_orders import SpokenOrderFiles
from vm_ari.domain.number_addresses import parse
from vm_ari.domain.numbers import Site
from vm_ari.domain.orders import Way
from vm_ari.domain.spoken_orders import SpokenOrder
from vm_ari.domain.users import User
from vm_ari.services.site_mails import Senders
from vm_ari.services.spoken_by_mail import SpokenByMail
from vm_ari.services.spoken_ordering import SpokenOrdering

SITE = Site(base_number="+4930555")
ANNA = User("anna", "Anna", "101", ("+4930555101",), "anna@example.org")
TO = "+49301234567@voice.example.org"
BODY = "Dear Jörg,\n\nplease call us back.\n\n-- \nAnna, Example Ltd.\n"


class Now:
    """See `Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Office:
    """Where mails are brought."""

    files: SpokenOrderFiles
    port: int

    async def brings(self, mail: EmailMessage, to: str = TO) -> tuple[int, str]:
        """What the site's mail server is answered."""
        async with SMTP(hostname="127.0.0.1", port=self.port, timeout=AT_MOST) as client:
            try:
                await client.send_message(mail, sender=str(mail["From"]), recipients=[to])
            except SMTPResponseException as error:
                return error.code, error.message
            except SMTPRecipientsRefused as error:
                return error.recipients[0].code, error.recipients[0].message
        return 250, ""

    async def orders(self) -> list[SpokenOrder]:
        return list(await self.files.of_user(""))


@asynccontextmanager
async def office(base: Path) -> AsyncIterator[Office]:
    files = SpokenOrderFiles(base / "spoken", KeyRing(base / "keys"))
    ordering = SpokenOrdering(files, Now(), languages=("de", "en"), sites=(SITE,))
    senders = Senders(FakeDirectory(ANNA), Now())
    address = parse("$(phonenumber)@$(addrtype).example.org")
    desk = SpokenByMail(ordering, senders, address, SITE, fax_letter)
    listener = MailListener(desk, "127.0.0.1", 0, (ip_network("127.0.0.0/8"),))
    await listener.open()
    try:
        yield Office(files, listener.address[1])
    finally:
        listener.close()
        files.shut()


def at(base: Path, story: Callable[[Office], Awaitable[None]]) -> None:
    async def run() -> None:
        async with office(base) as one:
            await story(one)

    asyncio.run(run())


def mail(text: str = BODY, sender: str = ANNA.mail, subject: str = "Our offer") -> EmailMessage:
    one = EmailMessage()
    one["From"], one["To"], one["Subject"] = sender, TO, subject
    one["Message-ID"] = "<first@example.org>"
    one.set_content(text)
    return one


@pytest.mark.feature_part("SPEECH-04", "a mail from the own address is spoken, once")
def test_subject_and_text_are_spoken_once_without_the_signature(tmp_path: Path) -> None:
    async def story(at_: Office) -> None:
        assert await at_.brings(mail()) == (250, "")
        assert await at_.brings(mail()) == (250, ""), "it did not hear our answer"
        [order] = await at_.orders()
        assert (order.user_id, order.number, order.way) == ("anna", "+49301234567", Way.MAIL)
        assert order.text.splitlines()[0] == "Our offer"
        assert "please call us back" in order.text
        assert "Example Ltd" not in order.text

    at(tmp_path, story)


@pytest.mark.parametrize(
    ("one", "to"),
    [
        (mail(sender="mallory@example.org"), TO),
        (mail(), "+49900123456@voice.example.org"),
        (mail(), "+49301234567@fax.example.org"),
        (mail("Please call us back.\n" * 150), TO),
        (mail("\n", subject=""), TO),
    ],
)
def test_what_is_not_spoken_is_refused_at_once(tmp_path: Path, one: EmailMessage, to: str) -> None:
    async def story(at_: Office) -> None:
        code, _ = await at_.brings(one, to)
        assert 500 <= code < 600
        assert not await at_.orders()

    at(tmp_path, story)
