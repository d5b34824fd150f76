"""NOTIFY-01 on a real Asterisk: lamps of a phone that subscribes and of one that is told unasked.

A stock Asterisk has no res_ari_mailboxes, so of ARI's own mailboxes only their absence is seen
here (and the shape of the request in tests/adapters/test_lamps.py).
"""

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.patience import AT_MOST
from tests.system.conftest import NewAsterisk
from vm_ari.adapters.ami import ManagerAccount
from vm_ari.adapters.ari.application import AriApplication, Arrival
from vm_ari.adapters.ari.errors import AriUnavailable
from vm_ari.adapters.ari.line import AriLine
from vm_ari.adapters.ari.transport import Address
from vm_ari.adapters.asterisk.configuration import Phone, shipped_configuration
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.asterisk.process import AsteriskFailed, PrivateAsterisk
from vm_ari.adapters.lamps import AsteriskLamps, LampSettings, MethodName, SipAccount, probe
from vm_ari.adapters.lamps.accounts import MessageAccounts
from vm_ari.adapters.lamps.asterisk_lamps import BOOT_SECONDS, CALM
from vm_ari.adapters.lamps.choice import build
from vm_ari.adapters.lamps.method import LampCounts
from vm_ari.adapters.softphone import LampNotSeen, Softphone

# pyst2 calls setDaemon() and isSet()
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:asterisk.manager")

TOLD, SUBSCRIBED = "101", "+4989102"
STATEFUL = [MethodName.MINIVM, MethodName.PUBLISH]
EVERY = [*STATEFUL, MethodName.AMI]


def shipped_sample(password: str) -> str:
    """The account for PUBLISH that pjsip_vm_ari.conf shows in its comments.

    What proves the password is good for a second only, instead of 32.
    """
    text = (shipped_configuration() / "pjsip_vm_ari.conf").read_text()
    sample = text.partition("SIP PUBLISH")[2]
    lines = re.findall(r"^;     (.*)$", sample, re.MULTILINE)
    secret = f"password = {password}\nnonce_lifetime = 1"
    return "\n".join(lines).replace("password = ...", secret)


@pytest.fixture(scope="module")
def asterisk(new_asterisk: NewAsterisk) -> Iterator[PrivateAsterisk]:
    """An Asterisk with two phones and every account a lamp may need."""
    running = started(new_asterisk)
    yield running
    asyncio.run(running.stop())


def started(new_asterisk: NewAsterisk, attempts: int = 3, modules: str = "") -> PrivateAsterisk:
    """On ports of its own; others look for free ports at the same time."""
    it = new_asterisk(
        phones=(Phone(TOLD), Phone(SUBSCRIBED, subscribes=True)),
        ami_port=free_port(),
        extra_configuration={
            "pjsip.conf": shipped_sample("publish-secret"),
            "modules.conf": modules,
        },
    )
    try:
        asyncio.run(it.start())
    except AsteriskFailed:
        if attempts == 1:
            raise
        return started(new_asterisk, attempts - 1, modules)
    return it


def settings(asterisk: PrivateAsterisk, method: MethodName | None) -> LampSettings:
    instance = asterisk.instance
    return LampSettings(
        method,
        publish=SipAccount(("127.0.0.1", instance.sip_port), "vm-ari-lamps", "publish-secret"),
        manager=ManagerAccount(
            instance.ari_user, instance.ari_password, port=instance.ami_port or 0
        ),
    )


@dataclass
class Controller:
    """One that shows lamps, counts nothing, and takes no calls."""

    ari: AriApplication = field(init=False)
    lamps: AsteriskLamps = field(init=False)

    async def call(self, line: AriLine, arrival: Arrival) -> None:
        raise AssertionError(f"a lamp became a call: {arrival}")

    async def orphan(self, line: AriLine) -> None:
        raise AssertionError("a lamp left a channel behind")

    async def connected(self) -> None:
        await self.lamps.connected()


@asynccontextmanager
async def controller(
    asterisk: PrivateAsterisk, how: LampSettings | MethodName | None
) -> AsyncIterator[Controller]:
    """Connected to that Asterisk, and to the next ones of its name."""
    it = Controller()
    instance = asterisk.instance
    url = asterisk.ari_url.removesuffix("/ari")
    address = Address(url, instance.ari_user, instance.ari_password)
    it.ari = AriApplication(address, it, sounds=Path("/nowhere"), now=time.time)
    lamp_settings = how if isinstance(how, LampSettings) else settings(asterisk, how)
    it.lamps = AsteriskLamps(it.ari.connection, lamp_settings)
    running = asyncio.create_task(it.ari.run())
    try:
        async with asyncio.timeout(AT_MOST):
            await it.ari.connection.ready.wait()
        yield it
    finally:
        await it.lamps.close()
        running.cancel()
        await asyncio.wait([running])


@asynccontextmanager
async def two_phones(asterisk: PrivateAsterisk) -> AsyncIterator[tuple[Softphone, Softphone]]:
    """One that is told unasked, one that subscribes."""
    server = ("127.0.0.1", asterisk.instance.sip_port)
    async with (
        Softphone(user=TOLD, server=server) as told,
        Softphone(user=SUBSCRIBED, server=server) as subscribed,
    ):
        await asyncio.gather(told.register(), subscribed.register())
        await subscribed.subscribe_mwi()
        async with asyncio.timeout(AT_MOST):
            while not (told.lamps and subscribed.lamps):  # Asterisk greets each with its counts
                await asyncio.sleep(0.01)
        yield told, subscribed


async def both_show(phones: tuple[Softphone, Softphone], new: int, old: int) -> None:
    lamps = await asyncio.gather(*(phone.lamp(new, old) for phone in phones))
    assert [lamp.on for lamp in lamps] == [new > 0, new > 0]


def seen(phone: Softphone) -> list[tuple[int, int]]:
    return [(lamp.new, lamp.old) for lamp in phone.lamps]


Story = Callable[[Controller, tuple[Softphone, Softphone]], Coroutine[Any, Any, None]]


def tell(asterisk: PrivateAsterisk, how: LampSettings | MethodName | None, story: Story) -> None:
    """A story of a controller and two phones, in the end dark again."""

    async def all_of_it() -> None:
        async with controller(asterisk, how) as it, two_phones(asterisk) as phones:
            await story(it, phones)
            for number in (TOLD, SUBSCRIBED):
                await it.lamps.show(number, 0, 0)
            await it.lamps.settled()

    asyncio.run(all_of_it())


# --- right counts


@pytest.mark.feature("NOTIFY-01")
@pytest.mark.parametrize("method", [None, *EVERY])
def test_lamps_go_on_and_off_with_the_right_counts(
    asterisk: PrivateAsterisk, method: MethodName | None
) -> None:
    async def story(it: Controller, phones: tuple[Softphone, Softphone]) -> None:
        for new, old in [(3, 2), (1, 4), (0, 5), (12, 0), (0, 0)]:
            for number in (TOLD, SUBSCRIBED):
                await it.lamps.show(number, new, old)
            await both_show(phones, new, old)

    tell(asterisk, method, story)


@pytest.mark.parametrize("method", STATEFUL)
def test_a_phone_that_comes_later_is_told(asterisk: PrivateAsterisk, method: MethodName) -> None:
    async def story(it: Controller, phones: tuple[Softphone, Softphone]) -> None:
        for number in (TOLD, SUBSCRIBED):
            await it.lamps.show(number, 2, 1)
        await both_show(phones, 2, 1)
        async with two_phones(asterisk) as after_their_restart:
            await both_show(after_their_restart, 2, 1)

    tell(asterisk, method, story)


def test_huge_counts_are_cut(asterisk: PrivateAsterisk) -> None:
    async def story(it: Controller, phones: tuple[Softphone, Softphone]) -> None:
        for number in (TOLD, SUBSCRIBED):
            await it.lamps.show(number, 10**12, 10_000)
        await both_show(phones, 9999, 9999)

    tell(asterisk, None, story)


def test_a_new_controller_darkens_a_lamp_the_old_one_lit(asterisk: PrivateAsterisk) -> None:
    async def story(it: Controller, phones: tuple[Softphone, Softphone]) -> None:
        await it.lamps.show(TOLD, 2, 0)
        await phones[0].lamp(2, 0)
        async with controller(asterisk, MethodName.PUBLISH) as another:
            await another.lamps.show(TOLD, 0, 0)
            await phones[0].lamp(0, 0)

    tell(asterisk, MethodName.MINIVM, story)


def test_a_proof_that_has_expired_is_renewed(asterisk: PrivateAsterisk) -> None:
    async def story(it: Controller, phones: tuple[Softphone, Softphone]) -> None:
        for new in (1, 2, 3):
            await it.lamps.show(TOLD, new, 4)
            await phones[0].lamp(new, 4)
            await asyncio.sleep(1.2)

    with capture_logs() as logs:
        tell(asterisk, MethodName.PUBLISH, story)
    assert not [entry for entry in logs if entry["log_level"] in ("warning", "error")]


# --- the right order


@pytest.mark.parametrize("method", EVERY)
def test_200_quick_changes_end_right(asterisk: PrivateAsterisk, method: MethodName) -> None:
    async def story(it: Controller, phones: tuple[Softphone, Softphone]) -> None:
        for new in range(1, 201):
            for number in (TOLD, SUBSCRIBED):
                await it.lamps.show(number, new, 7)
            await asyncio.sleep(new % 3 * 0.002)
        await both_show(phones, 200, 7)
        await asyncio.sleep(CALM + 0.5)
        for phone in phones:
            changes = [new for new, old in seen(phone) if old == 7]
            assert changes[-1] == 200
            assert len(set(changes)) > 2, "they are told while they change, too"
            if phone.user == SUBSCRIBED and method in STATEFUL:
                assert changes == sorted(changes)

    tell(asterisk, method, story)


@pytest.mark.parametrize("method", STATEFUL)
def test_told_without_a_pause_none_overtakes(asterisk: PrivateAsterisk, method: MethodName) -> None:
    async def story(it: Controller, phones: tuple[Softphone, Softphone]) -> None:
        how = build(method, it.ari.connection.client, settings(asterisk, method))
        numbers = {phone.user: phone for phone in phones}

        async def hurry(number: str) -> None:
            for new in range(1, 201):
                await how.tell(number, LampCounts(new, 8))

        await asyncio.gather(*(hurry(number) for number in numbers))
        await both_show(phones, 200, 8)
        await asyncio.sleep(0.3)
        await how.close()
        subscribed = [new for new, old in seen(phones[1]) if old == 8]
        assert subscribed == sorted(subscribed)
        assert "already in use" not in asterisk.log.read_text()  # would leave memory behind

    tell(asterisk, method, story)


def test_500_updates_leave_no_channel(asterisk: PrivateAsterisk) -> None:
    async def story(it: Controller, phones: tuple[Softphone, Softphone]) -> None:
        for number in range(500):
            await it.lamps.show(str(2000 + number), number % 4, 1)
        await it.lamps.settled()
        channels = await asterisk.command("core show channels count")
        async with asyncio.timeout(AT_MOST):
            while "0 active channels" not in channels:
                await asyncio.sleep(0.1)
                channels = await asterisk.command("core show channels count")
        assert "\n500 " not in channels
        assert (await it.ari.connection.client.applications.get("vm-ari"))["channel_ids"] == []

    tell(asterisk, MethodName.MINIVM, story)


# --- either side away


@pytest.mark.feature("NOTIFY-01")
@pytest.mark.parametrize("method", STATEFUL)
@pytest.mark.parametrize("end", [PrivateAsterisk.stop, PrivateAsterisk.kill])
def test_lamps_are_right_soon_after_a_restart_of_asterisk(
    asterisk: PrivateAsterisk, method: MethodName, end: Callable[[Any], Coroutine[Any, Any, None]]
) -> None:
    async def story(it: Controller, phones: tuple[Softphone, Softphone]) -> None:
        for number in (TOLD, SUBSCRIBED):
            await it.lamps.show(number, 3, 2)
        await both_show(phones, 3, 2)
        await asyncio.sleep(1.5)  # Asterisk writes registrations down once a second
        await end(asterisk)
        for phone in phones:
            phone.lamps.clear()
        await it.lamps.show(SUBSCRIBED, 4, 2)  # somebody leaves a message meanwhile
        await asterisk.start()
        async with asyncio.timeout(30):  # reconnecting takes up to 5 s
            await phones[0].lamp(3, 2)
            await phones[1].lamp(4, 2)
        await asyncio.sleep(BOOT_SECONDS + 1)
        assert (seen(phones[0])[-1], seen(phones[1])[-1]) == ((3, 2), (4, 2))

    tell(asterisk, method, story)


def test_0_0_that_asterisk_says_by_itself_after_its_start_does_not_last(
    asterisk: PrivateAsterisk,
) -> None:
    async def story(it: Controller, phones: tuple[Softphone, Softphone]) -> None:
        for number in (TOLD, SUBSCRIBED):
            await it.lamps.show(number, 3, 2)
        await both_show(phones, 3, 2)
        await asterisk.restart()
        async with asyncio.timeout(AT_MOST):
            await it.ari.connection.ready.wait()
        await both_show(phones, 3, 2)
        for number in (TOLD, SUBSCRIBED):  # what the start does where it is slower
            path = f"channels?endpoint=Local/{number.replace('+', '%2B')}-0-0@vm-ari-mwi/n"
            await it.ari.connection.client.transport.request(
                "POST", f"{path}&extension=s&context=vm-ari-end", {}
            )
        await both_show(phones, 0, 0)
        await both_show(phones, 3, 2)

    tell(asterisk, MethodName.MINIVM, story)


def test_a_hung_asterisk_delays_nobody(asterisk: PrivateAsterisk) -> None:
    async def story(it: Controller, phones: tuple[Softphone, Softphone]) -> None:
        assert asterisk.pid
        os.kill(asterisk.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            for new in range(1000):
                await it.lamps.show(TOLD, new % 7, 1)
            assert time.monotonic() - began < 5  # one answer of ARI is waited for longer
            await it.lamps.show(TOLD, 5, 5)
            await asyncio.sleep(0.5)
        finally:
            os.kill(asterisk.pid, signal.SIGCONT)
        await phones[0].lamp(5, 5, within=AT_MOST)

    tell(asterisk, MethodName.MINIVM, story)


# --- what must not be

HOSTILE = (
    "",
    "1" * 33,
    f"{TOLD}@other",
    f"{TOLD}-9-9",
    f"{TOLD}-9-9@vm-ari-mwi/n&Local/{TOLD}",
    f"{TOLD}\r\nAction: Originate",
    f"{TOLD}\n",
    f"{TOLD},1",
    f"{TOLD}&{SUBSCRIBED}",
    "${SHELL(id)}",
    "../../etc/passwd",
    f" {TOLD}",
    "１０１",
    '","new":9',
    "\0",
)


@pytest.mark.parametrize("method", EVERY)
def test_hostile_names_and_impossible_counts_change_nothing(
    asterisk: PrivateAsterisk, method: MethodName
) -> None:
    async def story(it: Controller, phones: tuple[Softphone, Softphone]) -> None:
        for number in (TOLD, SUBSCRIBED):
            await it.lamps.show(number, 1, 1)
        await both_show(phones, 1, 1)
        before, log = [seen(phone) for phone in phones], asterisk.log.read_text()
        for name in HOSTILE:
            await it.lamps.show(name, 9, 9)
        for new, old in [(-1, 0), (0, -1), (-1, -1)]:
            await it.lamps.show(TOLD, new, old)
        await it.lamps.settled()
        await asyncio.sleep(0.3)
        assert [seen(phone) for phone in phones] == before
        assert asterisk.log.read_text() == log

    tell(asterisk, method, story)


@pytest.mark.parametrize(
    "wrong",
    [
        LampSettings(MethodName.PUBLISH, SipAccount(("127.0.0.1", 0), "vm-ari-lamps", "wrong")),
        LampSettings(MethodName.PUBLISH, SipAccount(("127.0.0.1", 0), "stranger", "wrong")),
        LampSettings(MethodName.AMI, manager=ManagerAccount("vm-ari", "wrong")),
    ],
)
def test_a_wrong_password_is_said(asterisk: PrivateAsterisk, wrong: LampSettings) -> None:
    instance = asterisk.instance
    if wrong.publish:
        server = ("127.0.0.1", instance.sip_port)
        account = SipAccount(server, wrong.publish.user, wrong.publish.password)
        wrong = LampSettings(wrong.method, publish=account)
    else:
        manager = ManagerAccount("vm-ari", "wrong", port=instance.ami_port or 0)
        wrong = LampSettings(wrong.method, manager=manager)

    async def story() -> list[Any]:
        async with controller(asterisk, wrong) as it, two_phones(asterisk) as phones:
            with capture_logs() as logs:
                await it.lamps.show(TOLD, 6, 6)
                await it.lamps.settled()
            with pytest.raises(LampNotSeen):
                await phones[0].lamp(6, 6, within=0.5)
            return list(logs)

    logs = asyncio.run(story())
    assert [entry["event"] for entry in logs] in (["lamp not shown"], ["lamps wait"])
    assert re.search(r"401|404|Authentication failed", logs[0]["reason"])


@pytest.mark.feature("NOTIFY-05")
def test_a_bare_notify_says_whom_to_call_back(asterisk: PrivateAsterisk) -> None:
    accounts = MessageAccounts("pbx.example.org")
    accounts.note(TOLD, "+49 30 555-8000")

    async def story(it: Controller, phones: tuple[Softphone, Softphone]) -> None:
        await it.lamps.show(TOLD, 7, 1)
        lamp = await phones[0].lamp(7, 1)
        assert lamp.account == "sip:+49305558000@pbx.example.org"
        await it.lamps.show(SUBSCRIBED, 7, 1)
        assert (await phones[1].lamp(7, 1)).account == ""

    tell(asterisk, replace(settings(asterisk, MethodName.AMI), accounts=accounts), story)


def test_an_endpoint_that_does_not_exist_is_said(asterisk: PrivateAsterisk) -> None:
    async def story(it: Controller, phones: tuple[Softphone, Softphone]) -> None:
        with capture_logs() as logs:
            await it.lamps.show("999", 1, 0)
            await it.lamps.settled()
        assert "999" in logs[0]["reason"]

    tell(asterisk, MethodName.AMI, story)


# --- which way


async def _look(asterisk: PrivateAsterisk, how: LampSettings) -> tuple[MethodName | None, str]:
    async with controller(asterisk, how) as it, asyncio.timeout(AT_MOST):
        while True:
            try:
                choice = await probe(it.ari.connection.client, how)
            except AriUnavailable:  # a busy machine: the connection is made anew
                await asyncio.sleep(0.2)
            else:
                return choice.method, "; ".join(choice.why.values())


def test_a_stock_asterisk_offers_minivm_and_no_mailboxes_of_ari(asterisk: PrivateAsterisk) -> None:
    method, why = asyncio.run(_look(asterisk, settings(asterisk, None)))
    assert method is MethodName.MINIVM
    assert why == "res_ari_mailboxes.so does not run; there"
    method, _ = asyncio.run(_look(asterisk, settings(asterisk, MethodName.ARI)))
    assert method is None


def _without(new_asterisk: NewAsterisk, *modules: str) -> PrivateAsterisk:
    """An Asterisk that never had them: unloading modules has been seen to crash one."""
    lines = "".join(f"noload => {module}\n" for module in modules)
    return started(new_asterisk, modules=lines)


@pytest.mark.parametrize(
    ("missing", "found"),
    [
        (("app_minivm.so",), MethodName.PUBLISH),
        (("app_minivm.so", "res_pjsip_publish_asterisk.so"), MethodName.AMI),
    ],
)
def test_without_minivm_another_way_is_found(
    new_asterisk: NewAsterisk, missing: tuple[str, ...], found: MethodName
) -> None:
    other = _without(new_asterisk, *missing)

    async def story() -> None:
        assert (await _look(other, settings(other, None)))[0] is found
        await other.stop()

    asyncio.run(story())


def test_without_our_dialplan_there_is_no_way(new_asterisk: NewAsterisk) -> None:
    other = started(new_asterisk)

    async def story() -> None:
        await other.command("dialplan remove context vm-ari-end")
        method, why = await _look(other, LampSettings())
        assert method is None
        assert "extensions_vm_ari.conf" in why
        await other.stop()

    asyncio.run(story())
