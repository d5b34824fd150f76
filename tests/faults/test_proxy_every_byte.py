"""Connections to SMTP, LDAP and IMAP servers are cut behind every n-th byte: no lie, no loss.

CI takes some of the bytes; every seventh, or each one:

    VM_ARI_EVERY_BYTE=7 pytest tests/faults/test_proxy_every_byte.py
"""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.adapters.imap_store import INDIVIDUAL, imap_store
from tests.adapters.ldap_people import (
    PEOPLE,
    UserDirectory,
    person,
    settings_of,
    unit,
)
from tests.adapters.mailbox_contract import ANNA, message
from tests.adapters.smtp_server import Postbox, mail_server
from tests.dovecot import Dovecot, dovecot
from tests.proxy import Cut, End, Proxy, Way, proxy_to
from tests.slapd import Slapd, slapd
from vm_ari.adapters.ldap.directory import LdapSettings
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.smtp import SmtpMailer, SmtpSecurity, SmtpServer
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.system_mails import Recipient
from vm_ari.ports import DeliveryPostponed, DirectoryUnavailable

EVERY = int(os.environ.get("VM_ARI_EVERY_BYTE", "0"))
NUMBER = "+498142479101"
ENTRY = f"uid=anna,{PEOPLE}"
SENDER = "voicemail@example.org"
MOST_MESSAGES = 200
"""In the mailbox at the same time: the server has a limit."""
ENDS = {Way.THERE: End.CLOSE, Way.BACK: End.RESET}
"""What was cut in the middle of our words has reached the server; of its words nothing more comes.
"""


def places(size: int, about: int) -> Iterator[int]:
    """Behind which bytes of so many it is cut: about so many of them, and the last ones."""
    step = EVERY or max(1, size // about)
    yield from (n for n in range(size) if n % step == 0 or n > size - 4)


async def each_cut(
    proxy: Proxy, about: int, talk: Callable[[], Awaitable[None]], judge: Callable[[], object]
) -> int:
    """Have *about* so many conversations cut in each way, and judge each; how many were there?"""
    before = Counter(proxy.carried)
    await talk()
    sizes = {way: proxy.carried[way] - before[way] for way in Way}
    assert min(sizes.values()) > 30, sizes
    cuts = 0
    for way, size in sizes.items():
        for n in places(size, about):
            proxy.cut_after(Cut(way, n, times=1, end=ENDS[way]))
            await talk()
            proxy.heal()
            judge()
            cuts += 1
    return cuts


def test_a_mail_is_sent_or_said_to_wait_wherever_smtp_is_cut() -> None:
    """Twice only where the server has taken it, and could not tell us."""

    async def story() -> None:
        box, box_ends = Postbox(), b"\r\n.\r\n"
        told: Counter[bytes] = Counter()
        async with mail_server(box) as port, proxy_to(port) as proxy:
            mailer = SmtpMailer(
                SmtpServer("127.0.0.1", proxy.port, SmtpSecurity.NONE, seconds=10), SENDER
            )

            async def send_until_taken() -> None:
                mail = b"Subject: %05d\r\n\r\nA word.\r\n" % len(told)
                told[mail] = 0
                while True:
                    proxy.heard[Way.THERE].clear()
                    told[mail] += 1
                    before = len(box.mails)
                    with suppress(DeliveryPostponed):
                        await mailer.send(mail, Recipient("anna", "1", "a@x.org"), message_id="1")
                        assert len(box.mails) == before + 1, "it was said to be there"
                        return
                    proxy.heal()
                    await asyncio.sleep(0)
                    if box_ends not in proxy.heard[Way.THERE]:
                        assert len(box.mails) == before, "half a mail was taken"

            cuts = await each_cut(proxy, 30, send_until_taken, lambda: None)
        there = Counter(content for _, _, content in box.mails)
        assert there.keys() == told.keys(), "a mail is lost"
        assert all(there[mail] <= told[mail] for mail in told)
        twice = sum(count > 1 for count in there.values())
        print(f"{cuts} cuts, {sum(told.values())} tries, {twice} mails twice")
        assert sum(told.values()) > cuts * 0.9
        assert twice < cuts / 2

    asyncio.run(story())


@pytest.fixture(scope="module")
def directory_server() -> Iterator[Slapd]:
    entries = unit("people") + person("anna", vmAriNumber=NUMBER, vmAriMailbox="101")
    with slapd(entries) as running:
        yield running


def through(proxy: Proxy, server: Slapd) -> LdapSettings:
    """The settings for that server, by way of the proxy."""
    return settings_of(Slapd(server.base, port=proxy.port))


def test_half_an_answer_of_the_directory_is_never_taken_for_nobody(
    directory_server: Slapd, tmp_path: Path
) -> None:
    async def story() -> None:
        answers: Counter[str] = Counter()
        async with proxy_to(directory_server.port) as proxy:

            async def look_up() -> None:
                directory = UserDirectory(through(proxy, directory_server), KeyRing(tmp_path))
                try:
                    user = await directory.user_by_number(NUMBER)
                    answers[user.id if user else "nobody"] += 1
                except DirectoryUnavailable:
                    answers["not now"] += 1
                finally:
                    await directory.close()

            cuts = await each_cut(proxy, 25, look_up, lambda: None)
        print(f"{cuts} cuts:", dict(answers))
        assert set(answers) == {"anna", "not now"}
        assert answers["not now"] > cuts / 2

    asyncio.run(story())


def test_a_wrong_pin_counts_once_or_not_at_all_wherever_ldap_is_cut(
    directory_server: Slapd, tmp_path: Path
) -> None:
    """And whoever was told that it is wrong has been counted."""

    async def story() -> None:
        counted, told = 0, False
        keys = KeyRing(tmp_path)
        async with proxy_to(directory_server.port) as proxy:
            whole = UserDirectory(settings_of(directory_server), keys)
            await whole.set_pin("anna", "246813")

            async def guess() -> None:
                nonlocal told
                directory = UserDirectory(
                    through(proxy, directory_server), keys, allowed_failures=0
                )
                try:
                    told = await directory.check_pin("anna", "999999") is PinCheck.WRONG
                except DirectoryUnavailable:
                    told = False
                finally:
                    await directory.close()

            def judge() -> None:
                nonlocal counted
                now = failures(directory_server)
                assert now - counted in ((1,) if told else (0, 1)), "counted twice, or not at all"
                counted = now

            await guess()
            judge()
            cuts = await each_cut(proxy, 15, guess, judge)
            await whole.close()
        print(f"{cuts} cuts, {counted} guesses counted")
        assert 1 < counted < cuts

    asyncio.run(story())


def failures(server: Slapd) -> int:
    """As another program reads them."""
    values = [value.partition("=") for value in server.read(ENTRY, "vmAriSetting")]
    return next((int(text) for name, _, text in values if name == "pin_failures"), 0)


@pytest.fixture(scope="module")
def mail_store() -> Iterator[Dovecot]:
    with dovecot("anna") as running:
        yield running


def test_a_message_lies_once_in_the_mailbox_wherever_imap_is_cut(
    mail_store: Dovecot, tmp_path: Path
) -> None:
    """Each cut has a message of its own; some later each is looked for, as the outbox does it."""

    async def story() -> None:
        tries: list[bool] = []
        repeated = 0

        async def all_are_there_once() -> None:
            nonlocal repeated
            repeated += await there_once(mail_store, tmp_path / "short.wav", tries)
            tries.clear()
            mail_store.empty("anna")

        mail_store.empty("anna")
        async with proxy_to(mail_store.port) as proxy:

            async def deliver() -> None:
                if len(tries) == MOST_MESSAGES:
                    await all_are_there_once()
                voice = message(tmp_path / "short.wav", len(tries))
                url = f"imap://localhost:{proxy.port}"
                store = imap_store(mail_store, INDIVIDUAL, url=url)
                try:
                    await store.courier.deliver(voice, ANNA)
                    tries.append(True)
                except DeliveryPostponed:
                    tries.append(False)
                finally:
                    await store.doorman.close()

            cuts = await each_cut(proxy, 25, deliver, lambda: None)
        await all_are_there_once()
        print(f"{cuts} cuts, {repeated} deliveries repeated")
        assert repeated > cuts / 4

    asyncio.run(story())


async def there_once(server: Dovecot, recording: Path, tries: list[bool]) -> int:
    """What is not there is delivered again, and then each lies there once; how often was it so?"""
    store, repeated = imap_store(server, INDIVIDUAL), 0
    for number, done in enumerate(tries):
        voice = message(recording, number)
        if not await store.courier.has(voice, ANNA):
            assert not done, "it was said to be there"
            await store.courier.deliver(voice, ANNA)
            repeated += 1
    await store.doorman.close()
    with server.mail_program("anna") as client:
        found = client.fetch(client.search(), ["ENVELOPE"])
    lying = Counter(one[b"ENVELOPE"].message_id for one in found.values())
    assert set(lying.values()) == {1}
    assert len(lying) == len(tries)
    return repeated
