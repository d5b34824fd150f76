"""Mails of the system on their way: none is lost, and one does not stop the others."""

import asyncio
from pathlib import Path

from tests.adapters.smtp_server import Postbox, mail_server
from tests.patience import AT_MOST
from tests.services.welcome_node import Node, by_smtp, node, run, told
from vm_ari.services.system_mails import BREATHE


def test_a_notice_goes_out_once_for_an_occasion(tmp_path: Path) -> None:
    async def story(one: Node) -> None:
        await told(one, "anna")
        await told(one, "anna")
        await one.deliver()
        await told(one, "anna")
        await one.deliver()
        assert [str(mail["Subject"]) for mail in one.mails()] == [
            "Login by telephone locked: mailbox 101"
        ]

    run(tmp_path, story)


def test_a_recipient_that_is_refused_does_not_stop_the_others(tmp_path: Path) -> None:
    box = Postbox(answers={"a@example.org": "550 nobody", "b@example.org": "451 later"})

    async def story(one: Node) -> None:
        async with mail_server(box) as port:
            other = node(tmp_path, name="smtp", mailer=by_smtp(port))
            await told(other, "a", "b", "c", "d")
            await other.deliver()
        taken = sorted(recipient for _sender, [recipient], _mail in box.mails)
        assert taken == ["c@example.org", "d@example.org"]
        [(held, why)] = await other.queue.held()
        assert (held.recipient.user_id, why.last_error) == ("a", "550 nobody")
        [(_name, tries)] = await other.queue.waiting()
        assert tries.last_error == "451 later"
        await other.directory.close()

    run(tmp_path, story)


def test_a_server_that_is_down_is_not_asked_for_every_mail_and_costs_none(tmp_path: Path) -> None:
    names = [f"u{n:02}" for n in range(40)]
    box = Postbox(to_sender="421 down")

    async def story(one: Node) -> None:
        async with mail_server(box) as port:
            other = node(tmp_path, name="smtp", mailer=by_smtp(port))
            await told(other, *names)
            assert await other.post.send_what_is_due() == BREATHE
            assert box.attempts < 10
            box.to_sender = ""
            await other.post.send_what_is_due()
        letters = [await other.queue.letter(name) for name, _ in await other.queue.waiting()]
        waiting = {letter.recipient.mail for letter in letters if letter}
        sent = {recipient for _sender, [recipient], _mail in box.mails}
        assert 30 < len(sent) < 40, "those that were tried wait a minute"
        assert sent | waiting == {f"{name}@example.org" for name in names}
        assert not sent & waiting
        await other.directory.close()

    run(tmp_path, story)


def test_a_disk_that_fails_neither_stops_the_loop_nor_sends_twice(tmp_path: Path) -> None:
    box = Postbox()

    async def story(one: Node) -> None:
        async with mail_server(box) as port:
            other = node(tmp_path, name="smtp", mailer=by_smtp(port))
            await told(other, "a")
            sent = tmp_path / "queue-smtp" / "sent"
            sent.rmdir()
            sent.write_text("in the way")
            for _ in range(3):
                await other.post.send_what_is_due()
            assert len(list(await other.queue.waiting())) == 1
            sent.unlink()
            sent.mkdir()
            await other.post.send_what_is_due()
            assert list(await other.queue.waiting()) == []
        assert len(box.mails) == 1
        await other.directory.close()

    run(tmp_path, story)


def test_what_another_process_queues_is_sent_soon(tmp_path: Path) -> None:
    async def story(one: Node) -> None:
        command = node(tmp_path)
        task = asyncio.create_task(one.post.run())
        await told(command, "anna")
        async with asyncio.timeout(AT_MOST):
            while not one.mails():
                await asyncio.sleep(0.05)
        task.cancel()
        await command.directory.close()

    run(tmp_path, story)
