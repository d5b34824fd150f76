"""What somebody reads in the mail that invites him to record the global greeting."""

import email
import email.policy
import re
from dataclasses import dataclass, field

from tests.web.portal_house import House


@dataclass(frozen=True)
class Invited:
    """Where to go, and what to type there."""

    path: str
    code: str = field(repr=False)


def read_invitation(mail: bytes) -> Invited:
    """From the plain text."""
    body = email.message_from_bytes(mail, policy=email.policy.default).get_body(("plain",))
    assert body
    text = body.get_content().replace("\r", "")
    link = re.search(r"https://\S+?(/invitation/[A-Za-z0-9_-]{43})$", text, re.MULTILINE)
    code = re.search(r": ([2-9a-z]{4}-[2-9a-z]{4})$", text, re.MULTILINE)
    assert link, text
    assert code, text
    return Invited(link[1], code[1])


async def queued_invitation(house: House) -> Invited:
    """Of the only mail that waits."""
    [(name, _)] = await house.post.queue.waiting()
    letter = await house.post.queue.letter(name)
    assert letter
    return read_invitation(letter.content)
