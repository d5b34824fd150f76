"""Text that a machine recognised in what somebody said or faxed: any characters may be in it."""

import re

from vm_ari.domain.callers import printable

_LONGEST_LINE = 1000
_MANY_BREAKS = re.compile(r"\n{3,}")
_HYPHENATED = re.compile(r"(?<=[^\W\d_])-\n(?=[^\W\d_A-ZÄÖÜ])")


def readable_lines(text: str, limit: int) -> str:
    """Visible characters on lines; neither controls nor direction overrides, paragraphs stay.

    At most *limit* characters; the text is cut before it is examined.
    """
    lines = (printable(line, _LONGEST_LINE) for line in text[: limit * 2].splitlines())
    return _MANY_BREAKS.sub("\n\n", "\n".join(lines)).strip()[:limit].rstrip()


def joined_words(text: str) -> str:
    """The same with words made whole that were divided at the end of a line."""
    return _HYPHENATED.sub("", text)
