"""The dialplan of asterisk-conf/ in a real Asterisk, called by a real (soft) telephone."""

import asyncio
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from tests.system.conftest import PHONES, NewAsterisk
from tests.system.dialplan_site import (
    HOSTILE,
    HZ,
    SITE,
    complaints,
    controller,
    ends,
    heard,
    hears,
    leave,
    messages,
    phone,
    sender,
    silent_call,
    the_message,
    tone,
)
from vm_ari.adapters.asterisk.configuration import Phone
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.softphone import OutgoingCall
from vm_ari.domain import fallback_name

SHOWN = "allowed_not_screened"  # how a caller's number is presented that nobody withholds

# what these tests provoke: no controller, no disk, no music, a name of 2,000 characters
EXPECTED = re.compile(
    r"musiconhold|Stasis app .* doesn't exist|per-call config for app|CallerID Name 'xxx"
    r"|already exists|No space left|set our position|Natural write failed|writing frame"
    r"|not a directory|Not a directory|create file .*_307_"
)


@pytest.fixture(scope="module")
def site(
    new_asterisk: NewAsterisk, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrivateAsterisk]:
    """An Asterisk whose own dialplan calls ours in every documented way."""
    sounds = tmp_path_factory.mktemp("sounds")
    for name, hz in HZ.items():
        file = sounds / f"{name if '/' in name else f'en/{name}'}.wav"
        file.parent.mkdir(exist_ok=True)
        soundfile.write(file, tone(hz, 0.4), 8000, subtype="PCM_16")
    asterisk = new_asterisk(
        phones=(Phone("101"), Phone("102", subscribes=True)),
        trunk_context="site",
        sounds=sounds,
        extra_configuration={"extensions.conf": SITE},
    )
    asyncio.run(asterisk.start())
    yield asterisk
    asyncio.run(asterisk.stop())
    assert [line for line in complaints(asterisk) if not EXPECTED.search(line)] == []


def test_our_files_load_without_a_complaint(new_asterisk: NewAsterisk, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "music.wav", tone(400, 0.4), 8000, subtype="PCM_16")

    async def scenario() -> str:
        async with new_asterisk(phones=PHONES, music=tmp_path) as asterisk:
            await asterisk.command("dialplan reload")
            contexts: str = await asterisk.command("dialplan show vm-ari-fallback")
            assert complaints(asterisk) == []
            return contexts

    assert "vm-ari-record,s,1" in asyncio.run(scenario())


@pytest.mark.feature_part("CALL-10", "the dialplan takes the message")
def test_without_a_controller_the_message_is_taken(site: PrivateAsterisk) -> None:
    diversion = ("Diversion", "<sip:4711@localhost>;reason=no-answer")
    call = asyncio.run(
        leave(site, "301", from_name="Änne Öz", from_number="+4989123", headers=[diversion])
    )
    assert heard(call) == ["fallback-greeting", "tones/beep", "thank-you-goodbye"]
    facts, seconds = the_message(site)
    assert abs(facts.epoch - time.time()) < 60
    assert facts.unique_id.startswith("vmari")
    assert (facts.called, facts.caller_number, facts.redirecting) == ("301", "+4989123", "4711")
    assert facts.caller_name == "Änne Öz"
    assert seconds == pytest.approx(1.5, abs=0.35)  # the last 1/4 s before # is cut


def test_a_number_may_begin_with_a_plus(site: PrivateAsterisk) -> None:
    asyncio.run(leave(site, "+4989301", hang_up=True))
    assert the_message(site)[0].called == "+4989301"


def test_what_was_said_before_hanging_up_is_kept(site: PrivateAsterisk) -> None:
    call = asyncio.run(leave(site, "302", hang_up=True))
    assert heard(call) == ["fallback-greeting", "tones/beep"]
    assert the_message(site)[1] == pytest.approx(1.5, abs=0.25)


def test_after_a_gosub_the_dialplan_goes_on(site: PrivateAsterisk) -> None:
    async def scenario() -> tuple[OutgoingCall, list[str]]:
        async with controller(site, {}, apps="observer") as observer:
            call = await leave(site, "201")
            return call, await observer.next_entry()

    call, entry = asyncio.run(scenario())
    assert heard(call)[-2:] == ["thank-you-goodbye", "tones/returned"]
    assert entry == ["observer", "returned", "SUCCESS"]


def test_a_withheld_number_stays_withheld(site: PrivateAsterisk) -> None:
    privacy = [("Privacy", "id"), ("P-Asserted-Identity", '"Anna" <sip:+4989123@localhost>')]
    asyncio.run(leave(site, "303", from_name="Anna", hang_up=True, headers=privacy))
    facts, _ = the_message(site)
    assert (facts.caller_number, facts.caller_name) == ("", "")


def test_hostile_callers_leave_ordinary_files(site: PrivateAsterisk) -> None:
    before = {path for path in site.instance.directory.rglob("*") if path.is_file()}

    async def scenario() -> None:
        async with phone(site) as trunk:
            calls = [await trunk.call("304", from_header=sender(*who)) for who in HOSTILE.items()]
            await asyncio.gather(*(hears(call, "tones/beep") for call in calls))
            await asyncio.sleep(1.0)
            await asyncio.gather(*(call.hang_up() for call in calls))
            await asyncio.sleep(0.3)

    asyncio.run(scenario())
    after = {path for path in site.instance.directory.rglob("*") if path.is_file()}
    created = sorted(after - before)
    assert created == [path for path in messages(site) if path not in before]
    facts = [fallback_name.parse(path.name) for path in created]
    assert len(facts) == len(HOSTILE)
    names = {one.caller_name: one.caller_number for one in facts}
    assert "2" not in names.values()
    assert names["../../../../etc/passwd"] == ""
    assert names["x" * 72] == "1" * 24
    assert names["a,b;c|d&e"] == ""
    assert names["\U0001f600 <script>"] == ""
    assert all(soundfile.info(path).frames for path in created)


def test_a_silent_heartbeat_means_fallback_though_an_app_is_there(site: PrivateAsterisk) -> None:
    async def scenario() -> float:
        async with controller(site, variables=None) as deaf, phone(site) as trunk:
            await deaf.beat(int(time.time()) - 4)
            asked = time.time()
            call = await trunk.call("305")
            await hears(call, "fallback-greeting")
            assert deaf.entered.empty()
            await call.hang_up()
            return time.time() - asked

    assert asyncio.run(scenario()) < 3


def test_who_waits_for_a_controller_that_began_to_hang_is_fetched_back(
    site: PrivateAsterisk,
) -> None:
    async def scenario() -> None:
        async with controller(site, variables=None) as deaf, phone(site) as trunk:
            await deaf.beat(int(time.time()))
            waiting = trunk.dial("305")
            assert await deaf.next_entry() == ["vm-ari", "leave", "305", "", SHOWN]
            asked = time.time()
            await hears(waiting, "fallback-greeting")
            assert 2 < time.time() - asked < 6
            await waiting.hang_up()

    asyncio.run(scenario())


OPERATOR = {"VM_ARI_STATUS": "USEREXIT", "VM_ARI_EXIT": "o"}
ASSISTANT = {"VM_ARI_STATUS": "USEREXIT", "VM_ARI_EXIT": "a"}


@pytest.mark.parametrize(
    ("number", "exits", "variables", "then_heard", "then_entered"),
    [
        ("301", "", {"VM_ARI_STATUS": "SUCCESS"}, [], []),
        ("301", "", {"VM_ARI_STATUS": "FAILED"}, [], []),
        ("301", "", OPERATOR, [], []),
        ("201", "", {"VM_ARI_STATUS": "SUCCESS"}, ["tones/returned"], ["returned", "SUCCESS"]),
        ("201", "", {}, ["tones/returned"], ["returned", "FAILED"]),
        ("201", "", OPERATOR, ["tones/returned"], ["returned", "USEREXIT"]),
        ("401", "oa", OPERATOR, ["tones/operator"], []),
        ("401", "oa", ASSISTANT, ["tones/assistant"], []),
        ("401", "oa", OPERATOR | {"VM_ARI_EXIT": "h"}, [], []),
        ("401", "oa", OPERATOR | {"VM_ARI_EXIT": ""}, [], []),
        ("601", "o", OPERATOR, ["tones/operator"], ["outer"]),
        ("601", "o", ASSISTANT, [], ["inner", "USEREXIT"]),
    ],
)
def test_what_the_controller_decided_is_done(
    site: PrivateAsterisk,
    number: str,
    exits: str,
    variables: dict[str, str],
    then_heard: list[str],
    then_entered: list[str],
) -> None:
    async def scenario() -> None:
        async with controller(site, variables) as it, phone(site) as trunk:
            call = await trunk.call(number)
            assert await it.next_entry() == ["vm-ari", "leave", number, exits, SHOWN]
            if then_entered:
                assert await it.next_entry() == ["observer", *then_entered]
            await ends(call)
            assert heard(call) == then_heard

    asyncio.run(scenario())


def test_the_controller_may_hand_a_call_back_to_the_fallback(site: PrivateAsterisk) -> None:
    async def scenario() -> OutgoingCall:
        async with controller(site, {"VM_ARI_STATUS": "FALLBACK"}):
            return await leave(site, "306")

    assert heard(asyncio.run(scenario())) == [
        "fallback-greeting",
        "tones/beep",
        "thank-you-goodbye",
    ]
    assert the_message(site)[0].called == "306"


def test_a_call_may_go_to_another_app_and_speak_another_language(site: PrivateAsterisk) -> None:
    async def scenario() -> None:
        async with (
            phone(site) as trunk,
            controller(site, {"VM_ARI_STATUS": "FALLBACK"}, apps="other") as other,
        ):
            call = await trunk.call("501")
            assert await other.next_entry() == ["other", "leave", "501", "", SHOWN]
            await hears(call, "de/fallback-greeting")
            await call.hang_up()

    asyncio.run(scenario())


@pytest.mark.parametrize(("number", "mailbox"), [("700", ""), ("711", "711"), ("*98", "101")])
def test_a_login_goes_to_the_controller(site: PrivateAsterisk, number: str, mailbox: str) -> None:
    async def scenario() -> None:
        user = "101" if number == "*98" else "trunk"
        async with (
            controller(site, {"VM_ARI_STATUS": "SUCCESS"}) as it,
            phone(site, user) as telephone,
        ):
            call = await telephone.call(number)
            assert await it.next_entry() == ["vm-ari", "login", mailbox, "", SHOWN, ""]
            await ends(call)
            assert heard(call) == []

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("caller", "known"),
    [
        ("4101", "4101"),
        ("+4989101", "+4989101"),
        ("alice7", ""),
        ("1):0:1(", ""),
        ("9" * 99, "9" * 24),
    ],
)
def test_a_login_tells_the_phone_that_the_dialplan_knows(
    site: PrivateAsterisk, caller: str, known: str
) -> None:
    async def scenario() -> list[str]:
        async with controller(site, {"VM_ARI_STATUS": "SUCCESS"}) as it, phone(site) as trunk:
            call = await trunk.call("701", from_header=sender("Anna", caller))
            entry = await it.next_entry()
            await ends(call)
            return entry

    assert asyncio.run(scenario()) == ["vm-ari", "login", "", "", SHOWN, known]


# --- the common number

SEVERAL = ["<sip:4712@pbx>", '"a, b" <sip:+4989;x=y@pbx>;reason=no-answer']
LONG_AGO = "<sip:4711@pbx?Reason=SIP%3Bcause%3D486>;index=1, <sip:801@pbx>;index=1.1"


@pytest.mark.feature_part("CALL-08", "the dialplan keeps the redirecting number")
@pytest.mark.parametrize(
    ("number", "headers", "kept"),
    [
        ("801", [("Diversion", "<sip:4711@pbx>;reason=user-busy")], ("", "4711", "")),
        ("801", [("Diversion", line) for line in SEVERAL], ("", "+4989", "4712")),
        ("801", [("Diversion", ", ".join(SEVERAL))], ("", "+4989", "")),
        ("801", [("History-Info", LONG_AGO)], ("", "4711", "")),
        ("801", [("Diversion", "<sip:anonymous@invalid>")], ("801", "", "")),
        ("801", [("Diversion", "<sip:12/../34,a@b>):0:1(")], ("801", "", "")),
        ("801", [("Diversion", "<sip:" + "1" * 99 + "@pbx>")], ("", "1" * 24, "")),
        ("901", [("Diversion", "<sip:4711@pbx>")], ("", "501", "")),
    ],
)
def test_without_a_controller_a_redirected_call_leaves_its_message(
    site: PrivateAsterisk,
    number: str,
    headers: list[tuple[str, str]],
    kept: tuple[str, str, str],
) -> None:
    call = asyncio.run(leave(site, number, hang_up=True, headers=headers))
    assert heard(call) == ["fallback-greeting", "tones/beep"]
    facts, seconds = the_message(site)
    assert (facts.called, facts.redirecting, facts.last_redirecting) == kept
    assert seconds > 1


def test_without_a_controller_a_direct_call_to_it_is_told_so(site: PrivateAsterisk) -> None:
    assert heard(asyncio.run(silent_call(site, "801"))) == ["technical-problem"]


def test_a_controller_that_hangs_costs_a_redirected_call_no_message(site: PrivateAsterisk) -> None:
    async def scenario() -> None:
        async with controller(site, variables=None) as deaf, phone(site) as trunk:
            await deaf.beat(int(time.time()))
            waiting = trunk.dial("802", headers=[("Diversion", "<sip:4713@pbx>")])
            assert (await deaf.next_entry())[:3] == ["vm-ari", "common", "802"]
            await hears(waiting, "tones/beep")
            await asyncio.sleep(1)
            await waiting.hang_up()

    asyncio.run(scenario())
    assert the_message(site)[0].redirecting == "4713"


@pytest.mark.parametrize("variables", [None, {"VM_ARI_STATUS": "FALLBACK"}])
def test_a_login_without_a_controller_is_told_so(
    site: PrivateAsterisk, variables: dict[str, str] | None
) -> None:
    async def scenario() -> OutgoingCall:
        async with controller(site, variables, "observer" if variables is None else "vm-ari"):
            return await silent_call(site, "711")

    assert heard(asyncio.run(scenario())) == ["technical-problem"]


def test_a_message_that_cannot_be_stored_is_never_thanked_for(site: PrivateAsterisk) -> None:
    folder = site.instance.spool / "recording/vm-ari/fallback"
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.write_text("in the way")
    try:
        call = asyncio.run(silent_call(site, "307"))
    finally:
        folder.unlink()
        aside.rename(folder)
    assert heard(call) == ["fallback-greeting", "tones/beep", "cannot-store"]


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system needs root")
@pytest.mark.parametrize(("free", "seconds"), [(64, 6.0), (0, 1.0)])
def test_a_full_disk_is_told(site: PrivateAsterisk, free: int, seconds: float) -> None:
    folder = site.instance.spool / "recording/vm-ari/fallback"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], check=True)
    try:
        (folder / "filler").write_bytes(bytes((64 - free) * 1024))
        call = asyncio.run(leave(site, "308", seconds=seconds))
    finally:
        subprocess.run(["umount", folder], check=True)
    assert heard(call) == ["fallback-greeting", "tones/beep", "cannot-store"]


@pytest.mark.feature_part("NOTIFY-01", "lamps by MinivmMWI")
def test_a_lamp_is_lit_through_the_dialplan(site: PrivateAsterisk) -> None:
    async def scenario() -> None:
        async with (
            controller(site, None) as it,
            phone(site, "101") as told,
            phone(site, "102") as asking,
        ):
            await asyncio.gather(told.register(), asking.register())
            await asking.subscribe_mwi()
            for telephone, new, old in ((told, 3, 2), (asking, 1, 0), (told, 0, 0)):
                endpoint = f"Local/{telephone.user}-{new}-{old}@vm-ari-mwi/n"
                await it.post(
                    "channels",
                    endpoint=endpoint,
                    context="vm-ari-mwi",
                    extension="done",
                    timeout="5",
                )
                await telephone.lamp(new, old)
            assert "0 active channels" in await site.command("core show channels count")

    asyncio.run(scenario())
