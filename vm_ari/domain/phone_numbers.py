"""Which number has the phone at a channel? Endpoints are often, but not always, called by it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vm_ari.domain.numbers import Site, normalise

NAMED_BY_NUMBER = re.compile(r"[^/]+/(?P<number>\+?[0-9]+)")
"""The default: ``PJSIP/101``."""
LOCAL = "Local/"
"""Channels that only lead on in the dialplan: nobody is there."""


@dataclass(frozen=True)
class PhoneNumbers:
    """How a site calls its phones."""

    site: Site
    pattern: re.Pattern[str] = NAMED_BY_NUMBER
    """Fits technology and name, such as ``PJSIP/101``; its group ``number`` is the number."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Numbers of endpoints, such as ``{"anna-desk": "101"}``: these win."""

    def of(self, channel: str, address: str = "", shown: str = "") -> str:
        """E.164 or an extension; empty where nobody knows.

        *address* is what was dialled at the endpoint, *shown* the number that Asterisk has for it.
        """
        for text in self._candidates(channel, address, shown):
            if number := normalise(text, self.site):
                return number
        return ""

    def _candidates(self, channel: str, address: str, shown: str) -> Iterator[str]:
        endpoint = endpoint_of(channel)
        yield self.names.get(endpoint.partition("/")[2], "")
        if found := self.pattern.fullmatch(endpoint):
            yield found["number"] or ""
        yield from _outside(address, shown)


def endpoint_of(channel: str) -> str:
    """Technology and name: ``PJSIP/101`` of ``PJSIP/101-0000002a``."""
    return channel.rpartition("-")[0] or channel


def _outside(address: str, shown: str) -> Iterator[str]:
    """``0301234@trunk`` is the way to a number; in ``desk/sip:x7@10.1.1.5`` it may be anything."""
    target, at, _ = address.rpartition("@")
    if at and "/" not in target:
        yield target
    yield shown
    yield target.rpartition("/")[2].removeprefix("sip:")
    yield address.rpartition("/")[2]
