"""Whose mailbox does a call to the common number mean? The number it was redirected from (CALL-08).

Who says so, in the order in which they are believed:

1. the dialplan: what the administrator passes explicitly; then nobody else is asked;
2. Diversion headers, the original called party (the lowest entry, RFC 5806) before later ones;
3. History-Info (RFC 7044), the oldest entry first;
4. the telephone network: Asterisk's ``REDIRECTING(orig-num)`` and ``(from-num)``, which is where
   ISDN's redirecting number is, and what Asterisk makes of its own forwarding.

The first of these numbers that has a mailbox is meant. All of it is a claim of whoever sent the
call: good enough to leave a message, never good enough to log in.
"""

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import zip_longest

from vm_ari.domain.numbers import Site, extension_of, normalise
from vm_ari.domain.redirection_headers import Entry, diversions, history

MOST_HOPS = 6
"""Numbers that are looked up at most: a hostile header must not cost more look-ups than that."""
TRANSLATED = "380"
"""A service number was translated (RFC 8119): the call went where its caller wanted."""


class Source(Enum):
    """Who says that the call was redirected; the value is its name for people."""

    DIALPLAN = "the dialplan"
    DIVERSION = "Diversion header"
    HISTORY_INFO = "History-Info header"
    NETWORK = "redirecting number of the network"


@dataclass(frozen=True)
class Claims:
    """What came with a call about where it has been before: texts of any kind, not yet judged."""

    dialplan: str = ""
    network: Sequence[str] = ()
    """The original number, then the last redirecting one."""
    diversion: Sequence[str] = ()
    """Header lines, the topmost first."""
    history_info: Sequence[str] = ()


@dataclass(frozen=True)
class Hop:
    """A number that the call was sent on from."""

    number: str
    """E.164 or an extension."""
    source: Source
    reason: str = ""
    """Such as ``no-answer`` or ``302``; empty if nothing is said."""

    def __str__(self) -> str:
        return f"{self.source.value}{self.reason and f' ({self.reason})'}"


@dataclass(frozen=True)
class Redirection:
    """Where a call to the common number has been before."""

    hops: tuple[Hop, ...] = ()
    """Their mailboxes are tried in this order."""
    certain: bool = False
    """Was the call surely redirected, even if none of the hops has a mailbox?

    If not, it is a direct call; its hops are only places that it passed.
    """

    def likeliest(self, site: Site) -> Hop | None:
        """The best guess while nobody can be asked: the first hop that is a number of the site."""
        inside = (hop for hop in self.hops if extension_of(hop.number, site) is not None)
        return next(inside, self.hops[0] if self.hops else None)


@dataclass(frozen=True)
class _Claim:
    """One statement: *number* is None where it names nobody whom we could understand."""

    number: str | None
    source: Source
    reason: str
    certain: bool


def redirection(claims: Claims, site: Site, common: str = "") -> Redirection:
    """Judge what came with a call; *common* is the number that was dialled, where it is known.

    The common number never means itself: that entry is only where the call is now.
    """
    here = normalise(common, site)
    told = [claim for claim in _told(claims, site) if not here or claim.number != here]
    hops: dict[str, Hop] = {}
    for claim in told:
        if claim.number is not None:
            hops.setdefault(claim.number, Hop(claim.number, claim.source, claim.reason))
    return Redirection(
        hops=tuple(hops.values())[:MOST_HOPS], certain=any(claim.certain for claim in told)
    )


def claims_from(arguments: Sequence[str]) -> Claims:
    """What ``[vm-ari-common]`` passes: the number it was told, the network's two, both headers.

    Each is Base64, several lines of a header with dots between, and its colons are written as
    ``|``, so that no caller can break the dialplan's own syntax. Unreadable ones count as empty.
    """
    texts = (_lines(text) for text in [*arguments, "", "", "", "", ""][:5])
    dialplan, original, last, diversion, history_info = texts
    return Claims("".join(dialplan), (*original, *last), diversion, history_info)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line for part in text.split(".") if (line := _decoded(part)))


def _decoded(text: str) -> str:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return raw.decode("utf-8", "replace").replace("|", ":")


def _told(claims: Claims, site: Site) -> Iterator[_Claim]:
    if number := normalise(claims.dialplan, site):
        yield _Claim(number, Source.DIALPLAN, "", certain=True)
        return
    for entry in reversed(diversions(claims.diversion)):
        number = normalise(entry.address, site)
        yield _Claim(number, Source.DIVERSION, entry.parameters.get("reason", ""), certain=True)
    yield from _passed(history(claims.history_info), lambda text: normalise(text, site))
    # Asterisk makes a redirecting number also of some History-Info, which every call may have
    certain = not claims.history_info
    for text in claims.network:
        yield _Claim(normalise(text, site), Source.NETWORK, "", certain)


def _passed(entries: Sequence[Entry], number: Callable[[str], str | None]) -> Iterator[_Claim]:
    """Of several entries the last one is where the call is now; a single one may be either."""
    before = entries[:-1] if len(entries) > 1 else entries
    for entry, following in zip_longest(before, entries[1:]):
        why = entry.left_because or (following.cause if following else "")
        moved = why not in {"", TRANSLATED} or (following is not None and _mapped(following))
        yield _Claim(number(entry.address), Source.HISTORY_INFO, why, certain=moved)


def _mapped(entry: Entry) -> bool:
    """Was it sent to another person (RFC 7044 section 5: ``mp``), not only along its route?"""
    return "mp" in entry.parameters and entry.cause != TRANSLATED
