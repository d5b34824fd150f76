"""Mails to the system, brought by a real SMTP client to the real listener (NOTIFY-06)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any

import pytest
from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from tests.fakes import FakeDirectory
from tests.patience import AT_MOST
from tests.services.post import LoopClock
from vm_ari.adapters.mail_listener import ListenerLimits, MailListener
from vm_ari.domain.site_mails import Trust
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.ports import MailNotQueued, NoticeBookUnavailable
from vm_ari.services.site_mails import LampOff, Senders, SiteMails

ANNA = User("anna", "Anna", "101", ("101",), "anna@example.org")
TWIN = User("twin", "Twin", "108", ("108",), "team@example.org")
PLACE = "lamp-off@example.org"
LOOPBACK = (ip_network("127.0.0.0/8"),)
SMALL = ListenerLimits(largest=4096, connections=3, idle=2.0, longest=20.0)


@dataclass
class Site:
    """Whose lamps were switched off, and who was told."""

    directory: FakeDirectory = field(
        default_factory=lambda: FakeDirectory(ANNA, TWIN, replace(TWIN, id="twin-2", mailbox="109"))
    )
    dark: list[str] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    trouble: Exception | None = None
    port: int = 0

    async def switch(self, user: User) -> None:
        """What the notifications do."""
        if self.trouble:
            raise self.trouble
        self.dark.append(user.id)

    async def tell(self, user: User, mail: SystemMail, _values: Any, *, occasion: str) -> None:
        """See `Notices`."""
        if self.trouble:
            raise MailNotQueued("the test says so")
        if (user.id, occasion) not in self.told:
            self.told.append((user.id, occasion))

    async def brings(self, mail: str, sender: str = ANNA.mail, to: str = PLACE) -> int:
        """What a mail server is answered."""
        async with SMTP(hostname="127.0.0.1", port=self.port, timeout=AT_MOST) as client:
            try:
                await client.sendmail(sender, [to], mail.replace("\n", "\r\n"))
            except SMTPResponseException as error:
                return error.code
            except SMTPException as error:
                return int(getattr(error, "recipients", [error])[0].code)
            return 250


@asynccontextmanager
async def listening(
    site: Site, trust: Trust, limits: ListenerLimits, networks: Any
) -> AsyncIterator[None]:
    clock = LoopClock()
    lamp = LampOff(site.switch, site, clock, confirm=True)
    desk = SiteMails(Senders(site.directory, clock), {PLACE: lamp}, trust)
    listener = MailListener(desk, "127.0.0.1", 0, networks, limits)
    await listener.open()
    site.port = listener.address[1]
    try:
        yield
    finally:
        listener.close()


def on_site(
    story: Callable[[Site], Awaitable[None]],
    trust: Trust | None = None,
    *,
    limits: ListenerLimits = SMALL,
    networks: Any = LOOPBACK,
) -> None:
    async def run() -> None:
        site = Site()
        async with listening(site, trust or Trust(), limits, networks):
            await story(site)

    asyncio.run(run())


def mail(sender: str = f"Anna <{ANNA.mail}>", more: str = "") -> str:
    return f"{more}From: {sender}\nTo: {PLACE}\nSubject: off\n\nPlease.\n"


def test_a_mail_switches_the_senders_own_lamp_off() -> None:
    async def story(site: Site) -> None:
        assert await site.brings(mail()) == 250
        assert await site.brings(mail("ANNA@example.org"), "Anna@Example.org") == 250
        assert await site.brings(mail(), to="Lamp-Off+phone@example.org") == 250
        assert site.dark == ["anna"] * 3
        assert [who for who, _hour in site.told] == ["anna"], "one answer an hour"

    on_site(story)


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        (mail(), "mallory@evil.example"),
        (mail("mallory@evil.example"), ANNA.mail),
        (mail("mallory@evil.example"), "mallory@evil.example"),
        (mail(more="Auto-Submitted: auto-replied\n"), ANNA.mail),
        (mail(more=f"From: {ANNA.mail}\n"), ANNA.mail),
        (mail(TWIN.mail), TWIN.mail),
        ("no header at all", ANNA.mail),
        ("\n", ANNA.mail),
    ],
)
def test_doubtful_mails_are_dropped_without_an_answer(text: str, sender: str) -> None:
    async def story(site: Site) -> None:
        assert await site.brings(text, sender) == 250
        assert (site.dark, site.told) == ([], [])

    on_site(story)


def test_mails_of_nobody_are_dropped() -> None:
    async def story(site: Site) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        for line in (
            f"EHLO mx\r\nMAIL FROM:<>\r\nRCPT TO:<{PLACE}>\r\nDATA\r\n",
            "From: a@b\r\n.\r\n",
        ):
            writer.write(line.encode())
            await asyncio.sleep(0.05)
        writer.write(b"QUIT\r\n")
        assert b"250 2.0.0 Done" in await reader.read()
        writer.close()
        assert site.dark == []

    on_site(story)


def test_other_addresses_are_refused_at_once() -> None:
    async def story(site: Site) -> None:
        for address in ("anna@example.org", "lamp-off@other.example", "lamp-offx@example.org"):
            assert await site.brings(mail(), to=address) == 550
        assert site.dark == []

    on_site(story)


def test_what_cannot_be_done_now_is_brought_again() -> None:
    async def story(site: Site) -> None:
        site.directory.unavailable = True
        assert await site.brings(mail()) == 451
        site.directory.unavailable = False
        for trouble in (NoticeBookUnavailable("the database is away"), RuntimeError("a fault")):
            site.trouble = trouble
            assert await site.brings(mail()) == 451
        site.trouble = None
        assert await site.brings(mail()) == 250
        assert site.dark == ["anna"]

    on_site(story)


def test_a_mail_may_have_to_be_proved() -> None:
    proved = "Authentication-Results: mx.example.org;\n dkim=pass header.d=example.org\n"

    async def story(site: Site) -> None:
        assert await site.brings(mail()) == 250
        assert await site.brings(mail(more=proved.replace("pass", "fail"))) == 250
        assert site.dark == []
        assert await site.brings(mail(more=proved)) == 250
        assert site.dark == ["anna"]

    on_site(story, Trust("mx.example.org"))


def test_only_trusted_hosts_may_bring_mails() -> None:
    async def story(site: Site) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        assert (await reader.read()).startswith(b"554 5.7.1")
        writer.close()

    on_site(story, networks=(ip_network("192.0.2.0/24"), ip_network("::1/128")))


def test_too_large_too_many_and_too_slow(capsys: pytest.CaptureFixture[str]) -> None:
    async def story(site: Site) -> None:
        assert await site.brings(mail() + "x" * 70 + "\n" * 5000) == 552
        idle = [await asyncio.open_connection("127.0.0.1", site.port) for _ in range(3)]
        greetings = [await reader.readline() for reader, _writer in idle]
        assert all(one.startswith(b"220 ") for one in greetings)
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        assert (await reader.read()).startswith(b"421 4.3.2")
        writer.close()
        for old, its in idle:
            assert await old.read() == b"", "who says nothing is sent away"
            its.close()
        assert await site.brings(mail()) == 250

    on_site(story, limits=replace(SMALL, idle=0.5))
    assert "Please" not in capsys.readouterr().err


def test_a_line_that_never_ends_is_cut_off() -> None:
    async def story(site: Site) -> None:
        _reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(
            f"EHLO mx\r\nMAIL FROM:<{ANNA.mail}>\r\nRCPT TO:<{PLACE}>\r\nDATA\r\n".encode()
        )
        sent = 0
        try:
            while sent < 50_000_000:
                writer.write(b"x" * 10_000)
                sent += 10_000
                await writer.drain()
        except ConnectionError:
            pass
        assert sent < 5_000_000
        writer.close()
        assert await site.brings(mail()) == 250

    on_site(story)


def test_one_connection_brings_many_mails() -> None:
    large = (mail() + ("x" * 70 + "\n") * 50).replace("\n", "\r\n")

    async def story(site: Site) -> None:
        async with SMTP(hostname="127.0.0.1", port=site.port, timeout=AT_MOST) as client:
            for _ in range(40):
                await client.sendmail(ANNA.mail, [PLACE], large)
        assert len(site.dark) == 40

    on_site(story)


def test_many_strangers_cost_one_listing() -> None:
    async def story(site: Site) -> None:
        listed = 0
        real = site.directory.all_users

        async def counted() -> Any:
            nonlocal listed
            listed += 1
            return await real()

        site.directory.all_users = counted  # type: ignore[method-assign]
        for number in range(20):
            stranger = f"stranger{number}@example.org"
            assert await site.brings(mail(stranger), stranger) == 250
        assert listed == 1

    on_site(story)
