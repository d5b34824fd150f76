"""What a crash has left half done of a welcome mail is made good."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from tests.services.welcome_node import ANNA, START, Node, pin_in, run
from vm_ari.domain.login_state import stamp
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.system_mails import Letter, SystemMail
from vm_ari.domain.welcome import with_mail


async def killed_before_the_directory_knew(one: Node) -> Letter:
    state = await one.directory.login_state("anna")
    values = {"pin": "999999", **FACTS}
    at = one.welcome.clock.now().replace(microsecond=0)
    letter = await one.post.write(
        ANNA, SystemMail.WELCOME, values, occasion=stamp(at), at=at, dialled="030555199"
    )
    assert not state.has_pin
    await one.queue.prepare(letter)
    return letter


async def killed_before_the_mail_went(one: Node) -> Letter:
    letter = await killed_before_the_directory_knew(one)
    state = await one.directory.login_state("anna")
    await one.directory.change_login(
        "anna", lambda now: with_mail(now, state, "999999", letter.written, one_time=False)
    )
    return letter


FACTS: Mapping[str, object] = {
    "mailbox_number": "1", "one_time": False, "telephone": True, "messages": True,
    "login_number": "", "login_key": "*", "link": "none", "address": "", "guide": False,
    "closing": [],
}  # fmt: skip


def test_a_crash_before_the_directory_knew_sends_a_new_mail(tmp_path: Path) -> None:
    async def story(one: Node) -> None:
        await killed_before_the_directory_knew(one)
        await one.welcome.recover(START + timedelta(days=1))
        await one.deliver()
        [mail] = one.mails()
        assert "555199" in mail["Subject"], "the number dialled is not forgotten"
        assert pin_in(mail) != "999999"
        assert await one.directory.check_pin("anna", pin_in(mail)) is PinCheck.RIGHT
        assert not list(await one.queue.prepared())

    run(tmp_path, story)


def test_a_crash_before_the_mail_went_sends_that_mail(tmp_path: Path) -> None:
    async def story(one: Node) -> None:
        letter = await killed_before_the_mail_went(one)
        one.welcome.called(ANNA, "")  # the next call knows nothing of it
        await one.welcome.settle()
        for _ in range(2):
            await one.welcome.recover(START + timedelta(days=1))
            await one.deliver()
        [mail] = one.mails()
        assert mail["Message-ID"] == letter.message_id
        assert pin_in(mail) == "999999"

    run(tmp_path, story)


def test_what_somebody_is_still_at_work_on_is_left_alone(tmp_path: Path) -> None:
    async def story(one: Node) -> None:
        letter = await killed_before_the_directory_knew(one)
        await one.welcome.recover(letter.written)
        assert list(await one.queue.prepared()) == [letter]

    run(tmp_path, story)


def test_a_user_who_is_gone_gets_no_mail(tmp_path: Path) -> None:
    async def story(one: Node) -> None:
        await killed_before_the_mail_went(one)
        await one.directory.remove_user("anna")
        await one.welcome.recover(START + timedelta(days=1))
        await one.deliver()
        assert one.mails() == []
        assert not list(await one.queue.prepared())

    run(tmp_path, story)
