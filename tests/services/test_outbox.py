"""What was said after the tone is delivered: the loop, on the virtual clock."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.recordings import spoken, wav
from tests.services.post import (
    ANNA,
    BERT,
    START,
    Answer,
    LoopClock,
    Post,
    ScriptedCourier,
    ScriptedDirectory,
    on,
)
from vm_ari.adapters.spool import FileSpool
from vm_ari.domain.callers import tail
from vm_ari.domain.delivery import LOOKS_BEFORE_RISKING_A_COPY
from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.settings import Rules
from vm_ari.domain.users import User
from vm_ari.ports import DeliveryPostponed, DeliveryRefused
from vm_ari.services.deliveries import Pace

# -- delivery


def test_a_kept_message_is_delivered_at_once_and_the_lamp_follows(tmp_path: Path) -> None:
    async def story(post: Post) -> None:
        await post.leave("a")
        await asyncio.sleep(0.01)
        assert post.courier.delivered == [("a", "anna")]

    post = on(Post(tmp_path), story)
    assert (post.lies("new"), post.lies("done"), post.told) == ([], ["a"], ["anna"])
    assert post.courier.looked == 0


def test_a_message_that_was_found_before_the_outbox_is_told_of_it_is_delivered_once(
    tmp_path: Path,
) -> None:
    async def story(post: Post) -> None:
        message = await post.keep("a")
        post.outbox.wake()
        await asyncio.sleep(0.01)
        assert post.lies("done") == ["a"]
        post.outbox.take(message)
        await asyncio.sleep(3)
        assert list(post.outbox.waiting()) == []

    with capture_logs() as logs:
        post = on(Post(tmp_path), story)
    assert post.courier.delivered == [("a", "anna")]
    assert [line["log_level"] for line in logs if line["log_level"] != "info"] == []


def test_the_oldest_message_goes_first_however_the_outbox_came_to_know_of_it(
    tmp_path: Path,
) -> None:
    async def story(post: Post) -> None:
        await post.leave("first")
        last = await post.keep("last")
        await post.keep("middle", BERT, "102")
        post.outbox.wake()
        post.outbox.take(last)
        await asyncio.sleep(1)

    post = on(Post(tmp_path, courier=ScriptedCourier(seconds=0.1)), story)
    assert [one for one, user in post.courier.delivered if user == "anna"] == ["first", "last"]
    assert sorted(one for one, _ in post.courier.delivered) == ["first", "last", "middle"]


def test_what_waited_while_the_controller_was_down_is_delivered_at_start(tmp_path: Path) -> None:
    async def story(post: Post) -> None:
        await post.leave("a")

    on(Post(tmp_path, courier=ScriptedCourier([DeliveryPostponed("down")])), story)
    post = on(Post(tmp_path, clock=LoopClock(timedelta(hours=1))), lambda post: asyncio.sleep(1))
    assert post.courier.delivered == [("a", "anna")]


def test_a_server_that_is_away_is_tried_with_growing_pauses_and_asked_first(
    tmp_path: Path,
) -> None:
    answers: list[Answer] = [DeliveryPostponed("451 try again")] * 4

    async def story(post: Post) -> None:
        await post.leave("a")
        await asyncio.sleep(1000)

    post = on(Post(tmp_path, courier=ScriptedCourier(answers)), story)
    assert [round(time) for time in post.courier.times] == [0, 60, 180, 420, 900]
    assert post.courier.looked == 4
    assert post.courier.delivered == [("a", "anna")]


def test_a_message_whose_answer_was_lost_is_not_delivered_twice(tmp_path: Path) -> None:
    courier = ScriptedCourier([DeliveryPostponed("connection lost after DATA")], looks=[True])

    async def story(post: Post) -> None:
        await post.leave("a")
        await asyncio.sleep(100)

    post = on(Post(tmp_path, courier=courier), story)
    assert (len(courier.times), courier.looked) == (1, 1)
    assert (post.lies("done"), post.told) == (["a"], ["anna"])


def test_after_a_crash_in_a_delivery_the_mailbox_is_asked_a_minute_later(tmp_path: Path) -> None:
    async def crash(post: Post) -> None:
        post.loop.cancel()
        await asyncio.wait([post.loop])
        await post.leave("a")
        [(message, _, _)] = await post.spool.waiting()
        await post.spool.mark_attempt(message)

    async def story(post: Post) -> None:
        await asyncio.sleep(59)
        assert post.courier.looked == 0
        await asyncio.sleep(2)
        assert post.courier.looked == 1

    on(Post(tmp_path), crash)
    post = on(Post(tmp_path, courier=ScriptedCourier(looks=[True])), story)
    assert (post.courier.times, post.lies("done")) == ([], ["a"])


def test_a_mailbox_that_never_answers_gets_a_second_copy_rather_than_none(tmp_path: Path) -> None:
    looks: list[bool | Exception] = [DeliveryPostponed("cannot look")] * 100
    courier = ScriptedCourier([DeliveryPostponed("connection lost")], looks)

    async def story(post: Post) -> None:
        await post.leave("a")
        await asyncio.sleep(24 * 3600)

    on(Post(tmp_path, courier=courier), story)
    assert courier.looked == LOOKS_BEFORE_RISKING_A_COPY + 1
    assert courier.delivered == [("a", "anna")]


def test_a_message_that_breaks_our_composer_goes_out_in_a_plain_envelope(tmp_path: Path) -> None:
    courier = ScriptedCourier([ValueError("bad header: Secret Name")] * 3)

    async def story(post: Post) -> None:
        await post.leave("a")
        await asyncio.sleep(10)

    with capture_logs() as logs:
        on(Post(tmp_path, courier=courier), story)
    assert courier.plain == [False, False, False, True]
    assert courier.delivered == [("a", "anna")]
    faults = [line["reason"] for line in logs if line.get("why") == "fault"]
    assert len(faults) == 3
    assert all(reason.startswith("ValueError at post.py:") for reason in faults)


def test_a_poisoned_message_does_not_stop_the_others(tmp_path: Path) -> None:
    def poison(message: VoiceMessage) -> None:
        if message.facts.id == "a":
            raise RecursionError

    async def story(post: Post) -> None:
        for name in "abc":
            await post.leave(name)
        await asyncio.sleep(5)

    post = on(Post(tmp_path, courier=ScriptedCourier(on_delivery=poison)), story)
    assert post.courier.delivered == [("b", "anna"), ("c", "anna")]
    assert post.lies("new") == ["a"]


def test_a_refused_message_is_held_and_can_be_released(tmp_path: Path) -> None:
    async def story(post: Post) -> None:
        await post.leave("a")
        await asyncio.sleep(7200)
        assert post.lies("hold") == ["a"]
        await FileSpool(tmp_path).release("a")  # by the admin's command, another process
        await asyncio.sleep(61)

    post = on(Post(tmp_path, courier=ScriptedCourier([DeliveryRefused("550 no")])), story)
    assert post.courier.delivered == [("a", "anna")]


def test_users_side_by_side_but_one_message_per_user(tmp_path: Path) -> None:
    users = [replace(ANNA, id=f"u{n}", numbers=(f"1{n}",)) for n in range(5)]

    async def story(post: Post) -> None:
        for n in range(15):
            known = users[n % 5] if n % 2 else None
            await post.leave(f"m{n:02}", known, called=f"1{n % 5}")
        await asyncio.sleep(100)

    courier = ScriptedCourier(seconds=2.0)
    pace = Pace(at_once=3)
    post = on(Post(tmp_path, courier, ScriptedDirectory(users), pace=pace), story)
    assert sorted(name for name, _ in courier.delivered) == [f"m{n:02}" for n in range(15)]
    assert courier.most_at_work == 3
    assert post.lies("new") == []


def test_a_slow_user_holds_up_nobody_else(tmp_path: Path) -> None:
    async def story(post: Post) -> None:
        for n in range(9):
            await post.leave(f"a{n}")
        post.courier.seconds = 0.0
        await post.leave("b", BERT, "102")
        await asyncio.sleep(1)
        assert ("b", "bert") in post.courier.delivered

    on(Post(tmp_path, courier=ScriptedCourier(seconds=30.0)), story)


def test_a_shutdown_lets_a_running_delivery_end(tmp_path: Path) -> None:
    async def story(post: Post) -> None:
        await post.leave("a")
        await asyncio.sleep(1)

    post = on(Post(tmp_path, courier=ScriptedCourier(seconds=5.0)), story)
    assert post.lies("done") == ["a"]


# -- whose message


def test_the_owner_is_found_at_delivery_where_the_directory_was_away(tmp_path: Path) -> None:
    async def story(post: Post) -> None:
        await post.leave("a", None, "102")
        await asyncio.sleep(30)
        assert post.courier.delivered == []
        post.directory.away = False
        await asyncio.sleep(31)

    post = on(Post(tmp_path, directory=ScriptedDirectory(away=True)), story)
    assert post.courier.delivered == [("a", "bert")]


def test_an_owner_who_left_is_looked_up_by_number(tmp_path: Path) -> None:
    async def story(post: Post) -> None:
        await post.leave("a", replace(ANNA, id="gone"), "102")
        await asyncio.sleep(1)

    assert on(Post(tmp_path), story).courier.delivered == [("a", "bert")]


def test_nobodys_message_goes_to_the_default_recipient(tmp_path: Path) -> None:
    seen = []

    async def story(post: Post) -> None:
        await post.leave("a", None, "999")
        await post.leave("b", None, "103")
        await asyncio.sleep(1)

    off = replace(BERT, id="off", numbers=("103",), voice_mail_enabled=False)
    post = Post(tmp_path, rules=Rules(default_recipient="office@site.example"))
    post.directory.users.append(off)
    deliver = post.courier.deliver

    async def spy(message: VoiceMessage, user: User, *, plain: bool = False) -> None:
        seen.append(user.mail)
        await deliver(message, user, plain=plain)

    post.courier.deliver = spy  # type: ignore[method-assign]
    on(post, story)
    assert seen == ["office@site.example"] * 2


def test_the_default_recipient_can_be_one_of_the_users(tmp_path: Path) -> None:
    async def story(post: Post) -> None:
        await post.leave("a", None, "999")
        await asyncio.sleep(1)
        everybody = post.directory.users
        everybody[:] = [replace(one, id=f"new {one.id}") for one in everybody]
        await post.leave("b", None, "999")
        await asyncio.sleep(1)

    post = Post(tmp_path, rules=Rules(default_recipient=BERT.mail.upper()))
    assert on(post, story).courier.delivered == [("a", "bert"), ("b", "new bert")]


def test_nobodys_message_waits_where_there_is_no_default_recipient(tmp_path: Path) -> None:
    async def story(post: Post) -> None:
        await post.leave("a", None, "+4930123999")
        await asyncio.sleep(2 * 24 * 3600)
        [(_, attempts, _)] = await post.spool.waiting()
        assert "nobody has the number …999" in attempts.last_error
        post.directory.users.append(replace(BERT, numbers=("+4930123999",)))
        await asyncio.sleep(3600)

    assert on(Post(tmp_path), story).courier.delivered == [("a", "bert")]


# -- clocks and disks


@pytest.mark.parametrize("days", [-400, 400])
def test_a_clock_that_jumps_delays_nothing(tmp_path: Path, days: int) -> None:
    async def story(post: Post) -> None:
        await post.leave("a")
        await asyncio.sleep(10)
        post.clock.offset = timedelta(days=days)
        await post.leave("b")
        await asyncio.sleep(120)

    post = on(Post(tmp_path, courier=ScriptedCourier([DeliveryPostponed("busy")])), story)
    assert sorted(post.courier.delivered) == [("a", "anna"), ("b", "anna")]


def test_a_disk_that_does_not_take_the_news_causes_no_second_copy(tmp_path: Path) -> None:
    def block(message: VoiceMessage) -> None:
        (tmp_path / "done").rename(tmp_path / "elsewhere")

    async def story(post: Post) -> None:
        await post.leave("a")
        await asyncio.sleep(300)
        assert len(post.courier.times) == 1
        (tmp_path / "elsewhere").rename(tmp_path / "done")
        await asyncio.sleep(300)

    post = on(Post(tmp_path, courier=ScriptedCourier(on_delivery=block)), story)
    assert (len(post.courier.times), post.lies("done")) == (1, ["a"])


def test_delivered_audio_is_swept_in_time(tmp_path: Path) -> None:
    async def story(post: Post) -> None:
        await post.leave("a")
        await asyncio.sleep(3600)
        assert post.lies("done") == ["a"]
        post.clock.offset = datetime.now(UTC) - START + timedelta(hours=24)
        await asyncio.sleep(3601)
        assert post.lies("done") == []

    on(Post(tmp_path), story)


def test_no_log_line_shows_who_called_or_a_whole_number(tmp_path: Path) -> None:
    answers: list[Answer] = [DeliveryPostponed("busy"), ValueError("Secret Name")]

    async def story(post: Post) -> None:
        await post.leave("a", None, "+493055512345")
        await post.abandon("b", wav(spoken(3)))
        await post.outbox.adopt(post.alive)
        await asyncio.sleep(4000)

    with capture_logs() as logs:
        post = Post(tmp_path, courier=ScriptedCourier(answers))
        post.directory.users.append(replace(BERT, numbers=("+493055512345",)))
        on(post, story)
    text = repr(logs)
    assert len(post.courier.delivered) == 2
    assert "Secret" not in text
    assert "1234567" not in text
    assert "555123" not in text
    assert "…345" in text


@pytest.mark.parametrize(("number", "shown"), [("101", "101"), ("+49301234", "…234"), ("", "")])
def test_a_log_shows_the_last_three_digits(number: str, shown: str) -> None:
    assert tail(number) == shown
