"""``vm-ari spool``: what an administrator does with single messages beside a running controller."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.site import CliSite
from tests.cli.test_outbox import site_with_post
from tests.recordings import spoken, wav
from tests.services.post import Post, ScriptedCourier, on
from vm_ari.config import load
from vm_ari.domain.delivery import Attempts
from vm_ari.ports import DeliveryPostponed
from vm_ari.services.outbox import QUIET
from vm_ari.wiring.outbox import open_outbox_desk


def test_both_names_are_one_command(tmp_path: Path) -> None:
    site = site_with_post(tmp_path)
    assert site.ask("spool", "list") == site.ask("outbox", "list")
    assert "message list" in site.run("messages", "--help").stdout


def test_one_thing_is_shown_without_a_word_of_it(tmp_path: Path) -> None:
    site = site_with_post(tmp_path)
    voice, _held, mail, *_ = site.ask("spool", "list")
    [facts] = site.ask("spool", "show", voice["id"])
    assert (facts["state"], facts["reason"]) == ("waiting", "the mailbox is full")
    assert Path(facts["file"]).is_file()
    [of_mail] = site.ask("spool", "show", mail["id"])
    assert "content" not in of_mail
    assert "nonsense" in site.run("spool", "show", "nonsense", code=1).stderr


def test_held_by_hand_nothing_is_tried_until_it_is_released(tmp_path: Path) -> None:
    site = site_with_post(tmp_path)
    waiting = [row["id"] for row in site.ask("spool", "list") if row["state"] == "waiting"]
    assert "Not waiting" in site.run("spool", "hold", "nonsense", code=1).stderr
    site.run("spool", "hold", *waiting)
    found = site.ask("spool", "list")
    assert {row["state"] for row in found} == {"held"}
    assert "held by an administrator" in {row["reason"] for row in found}
    post = on(Post(tmp_path / "vm-ari"), lambda post: asyncio.sleep(120))
    assert post.courier.delivered == []
    site.run("spool", "release", "--all")
    post = on(Post(tmp_path / "vm-ari"), lambda post: asyncio.sleep(120))
    assert sorted(name for name, _ in post.courier.delivered) == ["held-one", "waiting-one"]


@pytest.mark.parametrize("words", [("flush",), ("retry", "--all")])
def test_what_waits_is_tried_at_once(tmp_path: Path, words: tuple[str, ...]) -> None:
    site = site_with_post(tmp_path)
    site.run("spool", *words)
    rows = [row for row in site.ask("spool", "list") if row["state"] == "waiting"]
    assert {row["next_try"] for row in rows} == {"now"}
    notice = next(row["id"] for row in rows if row["what"].startswith("notice"))
    assert "every minute" in site.run("spool", "retry", notice, code=1).stderr


def test_a_running_controller_sees_it_within_a_minute(tmp_path: Path) -> None:
    """It has the message in its memory, with a pause of minutes."""
    site = CliSite(tmp_path)
    site.configure(f'[spool]\ndirectory = "{tmp_path}/vm-ari"\n')
    courier = ScriptedCourier([DeliveryPostponed("the server is away")] * 4)

    async def story(post: Post) -> None:
        await post.leave("late-one")
        await asyncio.sleep(700)
        assert len(courier.answers) == 0, "it was tried four times, with longer and longer pauses"
        assert courier.delivered == []
        async with open_outbox_desk(load(site.config)) as desk:
            for one in await desk.everything():
                await desk.retry(one)
        await asyncio.sleep(61)
        assert [name for name, _ in courier.delivered] == ["late-one"]

    on(Post(tmp_path / "vm-ari", courier=courier), story)


def test_a_pause_ends_once_only() -> None:
    known = Attempts(failed=3, last_error="away")
    hurried = replace(known, not_before=None, hurried=True)
    assert known.seen_again(hurried) is hurried
    assert hurried.seen_again(replace(hurried, failed=9)) is hurried
    assert known.seen_again(replace(known, failed=9)) is known


def test_a_recording_that_lies_around_becomes_a_message(tmp_path: Path) -> None:
    site = CliSite(tmp_path)
    site.configure(f'[spool]\ndirectory = "{tmp_path}/vm-ari"\n')
    lost = tmp_path / "saved" / "take-1.wav"
    lost.parent.mkdir()
    lost.write_bytes(wav(spoken(5.0)))
    refusal = site.run("spool", "adopt", lost, "--for", "101", code=1).stderr
    assert "start the controller once" in refusal
    on(Post(tmp_path / "vm-ari"), lambda post: asyncio.sleep(1))
    assert "--for NUMBER" in site.run("spool", "adopt", lost, code=1).stderr
    assert "no telephone number" in site.run("spool", "adopt", lost, "--for", "?", code=1).stderr
    nothing = tmp_path / "nothing.wav"
    nothing.write_bytes(b"this is no sound")
    assert "sox" in site.run("spool", "adopt", nothing, "--for", "101", code=1).stderr
    facts = {"id": "x", "message_id": "<x@y>", "channel_id": "1.2", "called": "101",
             "user_id": "anna", "caller": {"number": "+49891234", "name": "Carla"},
             "started": "2026-01-02T03:04:05+00:00", "urgent": False}  # fmt: skip
    (lost.parent / "facts.json").write_text(json.dumps(facts))
    assert site.run("spool", "adopt", lost).stdout.startswith("5.0 s for 101;")
    assert lost.exists()

    async def story(post: Post) -> None:
        await asyncio.sleep((QUIET + timedelta(seconds=2)).total_seconds())
        await post.outbox.adopt(_nobody)
        await asyncio.sleep(5)

    post = on(Post(tmp_path / "vm-ari"), story)
    assert [user for _, user in post.courier.delivered] == ["anna"]


async def _nobody(_channel: str) -> bool:
    return False
