"""When it is worth adding up what is remembered of many mailboxes. Pure."""

from dataclasses import dataclass

SHARE = 50


@dataclass
class Rarely:
    """Asked at each use of one of them: of few always, of many each time a fiftieth was used.

    So the sum costs as little for 10,000 mailboxes as for a hundred, and a limit is overstepped for
    a moment at most.
    """

    _left: int = 0

    def due(self, many: int) -> bool:
        """Is it time, with so many mailboxes?"""
        self._left -= 1
        if self._left > 0:
            return False
        self._left = many // SHARE
        return True
