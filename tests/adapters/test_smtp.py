"""Mails by SMTP to a real server: TLS that is verified, accounts, and servers that fail."""

import asyncio
import gc
import queue
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.smtp_server import (
    PASSWORD,
    USER,
    Postbox,
    Talk,
    mail_server,
    rude_server,
)
from tests.private_ca import DAY, PrivateCa
from vm_ari.adapters.smtp import SmtpMailer, SmtpSecurity, SmtpServer
from vm_ari.adapters.trust import BadAddress
from vm_ari.domain.system_mails import Recipient
from vm_ari.ports import DeliveryPostponed, DeliveryRefused, NoRoomLeft

SENDER = "voicemail@example.org"
ANNA = Recipient("anna", "101", "anna@example.org")
MAIL = b"Subject: Gr\r\nMessage-ID: <1@example.org>\r\n\r\n.a line with a dot\r\n"
NONE, STARTTLS, TLS = SmtpSecurity.NONE, SmtpSecurity.STARTTLS, SmtpSecurity.TLS


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> PrivateCa:
    return PrivateCa(tmp_path_factory.mktemp("ca"))


async def send(
    port: int,
    recipient: Recipient = ANNA,
    *,
    security: SmtpSecurity = NONE,
    ca: PrivateCa | None = None,
    user: str = "",
    password: str = PASSWORD,
    seconds: float = 20.0,
    host: str = "127.0.0.1",
) -> None:
    server = SmtpServer(
        host, port, security, user, password if user else "", ca.file if ca else None, seconds
    )
    await SmtpMailer(server, SENDER).send(MAIL, recipient, message_id="<1@example.org>")


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


@pytest.mark.feature_part("MAIL-05", "system mails by SMTP with TLS and an account")
@pytest.mark.parametrize(("security", "at_once"), [(STARTTLS, False), (TLS, True)])
def test_a_mail_arrives_over_tls_with_an_account(
    ca: PrivateCa, security: SmtpSecurity, at_once: bool
) -> None:
    async def story() -> None:
        async with mail_server(box, ca.identity(), at_once=at_once, account=True) as port:
            await send(port, security=security, ca=ca, user=USER)

    box = Postbox()
    run(story())
    assert box.mails == [(SENDER, ["anna@example.org"], MAIL)]
    assert box.tls == [True]


def test_a_mail_arrives_without_any_protection_where_that_is_wanted() -> None:
    async def story() -> None:
        async with mail_server(box) as port:
            await send(port)

    box = Postbox()
    run(story())
    assert box.mails == [(SENDER, ["anna@example.org"], MAIL)]
    assert box.tls == [False]


@pytest.mark.parametrize(
    ("security", "bad"),
    [(s, bad) for s in (STARTTLS, TLS) for bad in ("other authority", "other name", "expired")],
)
def test_a_server_that_is_not_the_right_one_gets_nothing(
    ca: PrivateCa, tmp_path: Path, security: SmtpSecurity, bad: str
) -> None:
    identity = {
        "other authority": lambda: PrivateCa(tmp_path).identity(),
        "other name": lambda: ca.identity("mx.example.net"),
        "expired": lambda: ca.identity(valid=-DAY),
    }[bad]()

    async def story() -> None:
        async with mail_server(box, identity, at_once=security is TLS) as port:
            with pytest.raises(DeliveryPostponed, match="certificate"):
                await send(port, security=security, ca=ca, user=USER)

    box = Postbox()
    run(story())
    assert box.attempts == 0


def test_a_server_without_starttls_gets_neither_password_nor_mail() -> None:
    async def story() -> None:
        async with mail_server(box) as port:
            with pytest.raises(DeliveryPostponed, match="STARTTLS"):
                await send(port, security=STARTTLS)

    box = Postbox()
    run(story())
    assert box.attempts == 0


@pytest.mark.parametrize(
    ("where", "answer", "outcome"),
    [
        ("to_recipient", "550 5.1.1 no such user", DeliveryRefused),
        ("to_recipient", "450 4.2.1 greylisted", DeliveryPostponed),
        ("to_mail", "554 5.6.0 no thanks", DeliveryRefused),
        ("to_mail", "452 4.2.2 over quota", NoRoomLeft),
        ("to_mail", "552 5.2.2 mailbox full", NoRoomLeft),
        ("to_recipient", "552 no storage left", NoRoomLeft),
        ("to_recipient", "550 5.2.2 over quota", NoRoomLeft),
        ("to_mail", "552 5.3.4 message too big", DeliveryRefused),
        ("to_mail", "552 5.2.3 message too big", DeliveryRefused),
        ("to_sender", "550 5.7.1 you are nobody", DeliveryPostponed),
        ("to_sender", "451 4.3.0 later", DeliveryPostponed),
    ],
)
def test_what_the_server_says_of_recipient_and_mail_decides(
    where: str, answer: str, outcome: type[Exception]
) -> None:
    async def story() -> None:
        setattr(box, where, answer)
        async with mail_server(box) as port:
            with pytest.raises(outcome, match=answer[:9]):
                await send(port)

    box = Postbox()
    run(story())


def test_a_wrong_password_is_the_sites_to_mend(ca: PrivateCa) -> None:
    async def story() -> None:
        async with mail_server(box, ca.identity(), account=True) as port:
            with pytest.raises(DeliveryPostponed, match="535") as told:
                await send(port, security=STARTTLS, ca=ca, user=USER, password="hunter2")
            assert "hunter2" not in str(told.value)

    box = Postbox()
    run(story())
    assert box.mails == []


@pytest.mark.parametrize("mail", ["", "anna", "anna@", "a\r\nRCPT TO:<x@y>@example.org", "ä@x.org"])
def test_an_address_that_is_none_is_refused_without_a_connection(mail: str) -> None:
    with pytest.raises(DeliveryRefused, match="user anna has no mail address"):
        run(send(1, Recipient("anna", "101", mail)))


async def _silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mx ESMTP\r\n")
    await reader.readline()


async def _cut_in_the_mail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mx ESMTP\r\n")
    for answer in (b"250 mx\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"):
        await reader.readline()
        writer.write(answer)
    await reader.readline()


async def _nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\xff" * 100_000 + b"\r\n")
    await reader.read()


async def _endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"220-and another line\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("talk", [_silence, _cut, _cut_in_the_mail, _nonsense, _endless])
def test_a_server_that_fails_costs_no_mail(talk: Talk) -> None:
    async def story() -> None:
        async with rude_server(talk) as port:
            with pytest.raises(DeliveryPostponed, match=f"127.0.0.1:{port}: "):
                await send(port, seconds=0.5)

    run(story())


def test_a_mail_that_was_given_up_does_not_arrive_after_all() -> None:
    """The server stops reading in the middle of it; what is not sent by then never will be."""
    heard = bytearray()
    over, given_up = asyncio.Event(), asyncio.Event()

    async def stops_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mx.example.org\r\n")
        while not (await reader.readline()).startswith(b"DATA"):
            writer.write(b"250 go on\r\n")
        writer.write(b"354 go on\r\n")
        await given_up.wait()
        try:
            while data := await reader.read(1_000_000):
                heard.extend(data)
        finally:
            over.set()

    async def story() -> None:
        async with rude_server(stops_reading) as port:
            mailer = SmtpMailer(SmtpServer("127.0.0.1", port, NONE, seconds=1), SENDER)
            mail = MAIL + (b"x" * 70 + b"\r\n") * 100_000
            with pytest.raises(DeliveryPostponed):
                await mailer.send(mail, ANNA, message_id="<1@example.org>")
            given_up.set()
            await asyncio.wait_for(over.wait(), 20)

    run(story())
    assert heard.startswith(MAIL[:10])
    assert not heard.endswith(b"\r\n.\r\n")


@pytest.mark.parametrize("security", [STARTTLS, TLS])
def test_no_connection_is_left_when_the_loop_ends_right_after_the_mail(
    ca: PrivateCa, security: SmtpSecurity, recwarn: pytest.WarningsRecorder
) -> None:
    """As that of a command does; the server has a loop of its own."""
    ports: queue.Queue[int] = queue.Queue()

    async def serves() -> None:
        async with mail_server(box, ca.identity(), at_once=security is TLS) as port:
            ports.put(port)
            await asyncio.to_thread(sent.wait, 30)

    box, sent = Postbox(), threading.Event()
    serving = threading.Thread(target=lambda: run(serves()))
    serving.start()
    try:
        where = SmtpServer(
            "127.0.0.1", ports.get(timeout=20), security, ca_file=ca.file, called="x"
        )
        run(SmtpMailer(where, SENDER).send(MAIL, ANNA, message_id="<1@example.org>"))
        gc.collect()
    finally:
        sent.set()
        serving.join(20)
    assert len(box.mails) == 1
    assert [str(one.message) for one in recwarn if one.category is ResourceWarning] == []


def test_a_server_that_is_not_there_costs_no_mail() -> None:
    async def story() -> None:
        async with rude_server(_silence) as port:
            pass
        with pytest.raises(DeliveryPostponed, match=f"127.0.0.1:{port}: "):
            await send(port)

    run(story())


def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(BadAddress, match=r"CA file .*ca\.pem"):
        SmtpMailer(SmtpServer("mx", ca_file=tmp_path / "ca.pem"), SENDER)


@pytest.mark.parametrize(
    ("security", "user", "port"),
    [(TLS, "", 465), (STARTTLS, USER, 587), (STARTTLS, "", 25), (NONE, "", 25)],
)
def test_the_usual_port_is_meant_where_none_is_named(
    security: SmtpSecurity, user: str, port: int
) -> None:
    assert SmtpServer("mx", security=security, user=user).usual_port == port
    assert SmtpServer("mx", 2525, security, user).usual_port == 2525
    assert PASSWORD not in repr(SmtpServer("mx", user=USER, password=PASSWORD))
