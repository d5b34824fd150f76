"""Session descriptions of one audio stream, read and written without any I/O (RFC 4566, 3264)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vm_ari.adapters.softphone.g711 import Codec

KEYS_PAYLOAD = 101
_KNOWN = {codec.value: codec for codec in Codec}


class NoAudioOffered(ValueError):
    """The description has no audio stream this phone can take part in."""


@dataclass(frozen=True)
class Stream:
    """Where one side wants to receive, and what; *keys*: payload type of telephone events."""

    host: str
    port: int
    codec: Codec
    keys: int | None


def describe(
    host: str, port: int, codecs: Sequence[Codec] = tuple(Codec), keys: int | None = KEYS_PAYLOAD
) -> bytes:
    """An offer (or answer) to receive one of *codecs* at *host*:*port*, 20 ms per packet."""
    payloads = [str(codec.value) for codec in codecs] + ([str(keys)] if keys is not None else [])
    lines = ["v=0", f"o=- {port} 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0"]
    lines.append(f"m=audio {port} RTP/AVP {' '.join(payloads)}")
    lines += [f"a=rtpmap:{codec.value} {codec.name}/8000" for codec in codecs]
    if keys is not None:
        lines += [f"a=rtpmap:{keys} telephone-event/8000", f"a=fmtp:{keys} 0-16"]
    lines += ["a=ptime:20", "a=sendrecv"]
    return "".join(f"{line}\r\n" for line in lines).encode()


def parse(body: bytes, codecs: Sequence[Codec] = tuple(Codec)) -> Stream:
    """The first audio stream with one of *codecs*; raises NoAudioOffered."""
    before, *sections = re.split(r"^m=", body.decode("utf-8", "replace"), flags=re.MULTILINE)
    for section in sections:
        media = re.match(r"audio (\d{1,5})(?:/\d+)? RTP/AVP ([\d ]+)", section)
        host = _host(section) or _host(before)
        if not media or not host or not 0 < int(media[1]) < 65536:
            continue
        offered = [_KNOWN.get(int(word[:4])) for word in media[2].split()]
        common = [codec for codec in offered if codec in codecs]
        if common and common[0]:
            return Stream(host, int(media[1]), common[0], _keys(section))
    raise NoAudioOffered("no common audio codec")


def _host(section: str) -> str | None:
    found = re.search(r"^c=IN IP4 ([\d.]+)", section, re.MULTILINE)
    return found[1] if found else None


def _keys(section: str) -> int | None:
    found = re.search(r"^a=rtpmap:(\d{2,3}) telephone-event/8000", section, re.M | re.I)
    return int(found[1]) if found and int(found[1]) < 128 else None
