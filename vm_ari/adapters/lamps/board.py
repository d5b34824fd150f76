"""Which lamp shall show what, and which phones are still to be told; pure, without any I/O.

Two promises: for one mailbox the newest counts win and are never overtaken by older ones, and
what could not be told is not forgotten.
"""

from vm_ari.adapters.lamps.method import LampCounts


class Board:
    """The lamps of all mailboxes; each mailbox is handed out to one teller at a time.

    Remembered are lamps that show something and those still to be told; the rest Asterisk shows
    as 0/0 by itself.
    """

    def __init__(self) -> None:
        self._wanted: dict[str, LampCounts] = {}
        self._due: dict[str, None] = {}  # an ordered set: the longest waiting first
        self._under_way: set[str] = set()

    @property
    def due(self) -> int:
        """How many mailboxes are to be told."""
        return len(self._due)

    def want(self, mailbox: str, counts: LampCounts) -> None:
        """From now on the lamp shall show this; what was waiting before is dropped."""
        self._wanted[mailbox] = counts
        self._due[mailbox] = None

    def want_again(self, mailbox: str, told: LampCounts) -> None:
        """What was *told* last shall be told once more, unless something else is wanted now."""
        self._wanted.setdefault(mailbox, told)
        self._due[mailbox] = None

    def want_all_again(self) -> None:
        """Asterisk may have forgotten everything."""
        self._due |= dict.fromkeys(self._wanted)

    def take(self) -> tuple[str, LampCounts] | None:
        """The next to be told; None if there is none that is not being told already."""
        free = (mailbox for mailbox in self._due if mailbox not in self._under_way)
        if (mailbox := next(free, None)) is None:
            return None
        del self._due[mailbox]
        self._under_way.add(mailbox)
        return mailbox, self._wanted[mailbox]

    def shown(self, mailbox: str) -> LampCounts | None:
        """What Asterisk was told, or shows by itself; None while that is on its way."""
        if mailbox in self._due or mailbox in self._under_way:
            return None
        return self._wanted.get(mailbox, LampCounts(0, 0))

    def told(self, mailbox: str) -> None:
        """What was taken has arrived (or is refused for good)."""
        self._under_way.discard(mailbox)
        if mailbox not in self._due and self._wanted[mailbox].forgettable:
            del self._wanted[mailbox]

    def not_told(self, mailbox: str) -> None:
        """What was taken has not arrived: it, or what is newer, is due again."""
        self._under_way.discard(mailbox)
        self._due[mailbox] = None
