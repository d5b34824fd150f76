"""The softphone calls a real Asterisk: register, call, hear, speak, press keys."""

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest

from tests.adapters.softphone_lab import (
    ANNA,
    BANK,
    DORA,
    PASSWORD,
    Lab,
    babble,
    heard_completely,
    running_lab,
)
from tests.patience import AT_MOST
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.ear import identify, tones, wait_for
from vm_ari.adapters.softphone import (
    CallEnded,
    CallRefused,
    Codec,
    Ending,
    OutgoingCall,
    RegistrationRefused,
    ServerSilent,
    Softphone,
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


# --- registering ---------------------------------------------------------------------------


def test_a_registered_phone_is_known_until_it_is_closed(lab: Lab) -> None:
    async def scene() -> None:
        async with lab.phone() as phone:
            await phone.register()
            host, port = phone.line.wire.address
            assert f"{ANNA}@{host}:{port}" in await lab.contacts()
        assert f"{ANNA}@{host}:{port}" not in await lab.contacts()

    asyncio.run(scene())


@pytest.mark.parametrize(("user", "password"), [(ANNA, "wrong"), ("nobody", PASSWORD)])
def test_a_wrong_login_is_refused(lab: Lab, user: str, password: str) -> None:
    async def scene() -> None:
        async with lab.phone(user, password) as phone:
            with pytest.raises(RegistrationRefused) as refused:
                await phone.register()
        assert refused.value.status in (401, 403)

    asyncio.run(scene())


def test_sha_256_is_answered_too(lab: Lab) -> None:
    async def scene() -> None:
        async with lab.phone(DORA, "secret") as phone:
            await phone.register()
            assert f"{DORA}@" in await lab.contacts()

    asyncio.run(scene())


def test_a_server_that_is_not_there_is_named(lab: Lab) -> None:
    async def scene() -> None:
        nowhere = ("127.0.0.1", free_port(socket.SOCK_DGRAM))
        async with lab.phone(server=nowhere, t1=0.003) as phone:
            with pytest.raises(ServerSilent, match=r"REGISTER.*127\.0\.0\.1"):
                await phone.register()
            with pytest.raises(ServerSilent, match="INVITE"):
                await phone.call("echo")

    asyncio.run(scene())


# --- calling -------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", list(Codec))
def test_what_is_said_comes_back_to_the_sample(lab: Lab, codec: Codec) -> None:
    async def scene() -> None:
        async with lab.phone(codecs=[codec]) as phone:
            call = await phone.call("echo")
            said = babble(7, 0.51)
            await call.speak(said)
            await call.falls_silent(0.1)
            await call.hang_up()
        assert call.codec is codec
        assert call.ending is Ending.HUNG_UP_HERE
        assert heard_completely(call, said)

    asyncio.run(scene())


def test_moments_of_a_call_are_in_order_and_fit_what_was_heard(lab: Lab) -> None:
    async def scene() -> None:
        async with lab.phone() as phone:
            before = time.monotonic()
            call = await phone.call("prompts")
            low = await wait_for(call, BANK, "low", within=AT_MOST)
            await call.hang_up()
        assert call.answered_at
        assert call.first_audio_at
        assert call.ended_at
        assert before <= call.invited_at < call.answered_at < call.first_audio_at < call.ended_at
        assert abs(call.invited_at + low.start - call.first_audio_at) < 0.1

    asyncio.run(scene())


def test_keys_are_read_and_heard(lab: Lab) -> None:
    async def scene() -> None:
        async with lab.phone() as phone:
            call = await phone.call("read")
            speech = asyncio.create_task(call.speak(babble(3, 9)))
            await asyncio.sleep(0.1)
            await call.press("*0D9", key_ms=60, gap_ms=40)
            await asyncio.wait_for(call.ended.wait(), AT_MOST)
            with pytest.raises(CallEnded):
                await speech
        assert call.keys_heard == "*0D9"
        assert call.ending is Ending.HUNG_UP_THERE

    asyncio.run(scene())


def test_prompts_and_tones_are_recognised_where_they_were_played(lab: Lab) -> None:
    async def scene() -> None:
        async with lab.phone() as phone:
            call = await phone.call("prompts")
            await wait_for(call, BANK, "beep", within=AT_MOST)
            await call.falls_silent(0.1)
            await call.hang_up()
        hits = identify(call.heard, BANK)
        assert [hit.name for hit in hits] == ["low", "high", "low", "beep"]
        assert all(hit.whole and hit.score > 0.97 for hit in hits)
        low, high, again, beep = hits
        assert high.start - low.start == pytest.approx(0.5, abs=0.03)
        assert again.start - high.start == pytest.approx(0.6 + 0.2, abs=0.05)
        (tone,) = tones(call.heard, 1000)
        assert tone.start == pytest.approx(beep.start, abs=0.03)
        assert tone.seconds == pytest.approx(0.3, abs=0.04)

    asyncio.run(scene())


def test_early_media_is_heard_before_the_call_is_answered(lab: Lab) -> None:
    async def scene() -> None:
        async with lab.phone() as phone:
            call = await phone.call("early")
            assert call.answered_at
            await call.ended.wait()
        low, high = identify(call.heard, BANK)
        assert (low.name, high.name) == ("low", "high")
        assert low.start < call.answered_at - call.invited_at < high.start + 0.02

    asyncio.run(scene())


@pytest.mark.parametrize(("target", "status"), [("busy", 486), ("nowhere", 404)])
def test_a_refused_call_tells_its_status(lab: Lab, target: str, status: int) -> None:
    async def scene() -> None:
        async with lab.phone() as phone:
            with pytest.raises(CallRefused) as refused:
                await phone.call(target)
            assert phone.calls == {}
        assert refused.value.status == status

    asyncio.run(scene())


def test_a_caller_may_give_up_while_it_rings(lab: Lab) -> None:
    async def scene() -> OutgoingCall:
        async with lab.phone() as phone:
            call = phone.dial("ringing")
            await call.ringing.wait()
            await call.hang_up()
            with pytest.raises(CallRefused, match="487"):
                await call.answered()
            with pytest.raises(TimeoutError):
                await phone.call("ringing", within=0.1)
        return call

    call = asyncio.run(scene())
    assert call.ending is Ending.CANCELLED
    assert call.answered_at is None


def test_after_the_other_side_hung_up_nothing_can_be_said(lab: Lab) -> None:
    async def scene() -> None:
        async with lab.phone() as phone:
            call = await phone.call("bye")
            with pytest.raises(CallEnded):
                await call.speak(babble(4, 5))
            assert call.ending is Ending.HUNG_UP_THERE
            with pytest.raises(CallEnded):
                await call.press("1")
            await call.hang_up()
            assert call.ending is Ending.HUNG_UP_THERE

    asyncio.run(scene())


def test_a_mute_caller_sends_nothing_and_can_still_be_unmuted(lab: Lab) -> None:
    async def scene() -> None:
        async with lab.phone() as phone:
            call = await phone.call("echo", send_silence=False)
            await asyncio.sleep(0.2)
            assert call.packets == (0, 0)
            call.send_silence = True
            async with asyncio.timeout(AT_MOST):
                while call.packets[0] <= 5:
                    await asyncio.sleep(0.05)
            assert not call.hears_sound.is_set()

    asyncio.run(scene())


def test_a_re_invite_is_answered_and_the_call_goes_on(lab: Lab) -> None:
    async def scene() -> None:
        async with lab.phone(DORA, "secret") as phone:
            await lab.asterisk.command("pjsip set logger on")
            call = await phone.call("moved")
            said = babble(5, 0.4)
            await call.speak(said)
            await call.falls_silent(0.1)
            await lab.asterisk.command("pjsip set logger off")
            assert not call.ended.is_set()
        assert heard_completely(call, said)
        assert f"\nINVITE sip:{DORA}@" in lab.log()

    asyncio.run(scene())


def test_twenty_calls_at_once_lose_nothing(lab: Lab) -> None:
    async def conversation(phone: Softphone, number: int) -> bool:
        call = await phone.call("echo")
        said = babble(100 + number, 1.5)
        started = time.monotonic()
        await call.speak(said)
        assert time.monotonic() - started > 1.0
        await call.falls_silent(0.2)
        await call.hang_up()
        received, lost = call.packets
        return heard_completely(call, said) and lost == 0 and received >= 75

    async def scene() -> list[bool]:
        async with lab.phone() as phone:
            return await asyncio.gather(*(conversation(phone, n) for n in range(20)))

    assert asyncio.run(scene()) == [True] * 20


def test_a_stalled_program_loses_no_word(lab: Lab) -> None:
    async def scene() -> None:
        async with lab.phone() as phone:
            call = await phone.call("echo")
            said = babble(6, 0.6)
            began = time.monotonic()
            speech = asyncio.create_task(call.speak(said))
            await asyncio.sleep(0.2)
            time.sleep(0.3)
            await speech
            assert time.monotonic() - began < 0.75  # it is made up for
            await call.falls_silent(0.1)
        assert heard_completely(call, said)

    asyncio.run(scene())
