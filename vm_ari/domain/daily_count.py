"""How often a user does something in a day, as `login_state` keeps it."""

from datetime import date


def counted(record: str, today: date, most: int) -> str | None:
    """The record with one more; None: there were enough today.

    A record is a day and a number, such as ``2026-03-04 7``; an older or unreadable one counts
    nothing.
    """
    day, _, text = record.partition(" ")
    so_far = int(text) if day == today.isoformat() and text.isdecimal() and len(text) < 7 else 0
    return None if most and so_far >= most else f"{today.isoformat()} {so_far + 1}"
