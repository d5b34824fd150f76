"""How users' settings about notices are written (NOTIFY-03, NOTIFY-05)."""

import re

from vm_ari.domain.notifications import Channel
from vm_ari.domain.setting_forms import NONE, NUMBER, Form, matching, or_else, whole_number

MOST = 100
"""Nobody waits for more new messages before being told."""
MAILBOX = "mailbox"
COMMON = "common"


def _read_channels(text: str) -> tuple[Channel, ...]:
    words = [word for word in re.split("[, ]+", text.lower()) if word]
    if words == [NONE]:
        return ()
    chosen = {Channel(word) for word in words}
    if not chosen or len(chosen) < len(words):
        raise ValueError
    return tuple(channel for channel in Channel if channel in chosen)


def _write_channels(channels: tuple[Channel, ...]) -> str:
    return ", ".join(channels) or NONE


CHANNELS = Form(f"one or more of {', '.join(Channel)}, or {NONE}", _read_channels, _write_channels)
"""In the order of `Channel`, whatever order they are written in."""
FROM = whole_number(1, MOST, "new messages")
ADDRESS = or_else(
    matching(
        r"[^\s@<>()\[\]\\,;:\"]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,180}[A-Za-z0-9])?",
        "a mail address",
    ),
    "",
    "own",
    " (the user's, where messages do not lie there anyway)",
)
SMS_NUMBER = or_else(NUMBER, "", "mobile", " (the user's)")
SENDER = or_else(
    matching(
        r"\+?[0-9]{3,15}|(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9 .&_-]{0,10}",
        "a number, or a name of at most 11 letters",
    ),
    "",
)
"""GSM 03.40 takes eleven letters as the sender of an SMS."""
PHONE = or_else(NUMBER, "", "office", " (the user's)")
CALLER = or_else(
    or_else(NUMBER, COMMON, COMMON, " (of voice mail)"), "", MAILBOX, " (the user's number)"
)
LAMP_MAILBOX = or_else(
    matching("[+0-9][0-9A-Za-z]{0,31}", "a mailbox such as 101"),
    "",
    MAILBOX,
    " (the user's)",
)
