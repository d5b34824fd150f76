"""Reading mail that anybody may have written: bounded, linear, and without exceptions.

The standard library's parser can be driven to 1.7 GB or a `RecursionError` by one header, so
only the few things we need are read here, each with a limit.
"""

import base64
import binascii
import itertools
import quopri
import re
from collections.abc import Iterator, Mapping
from email.errors import HeaderParseError
from email.header import decode_header

HEADER_LIMIT = 64 * 1024
"""So much of a message is looked at as its header."""
MESSAGE_LIMIT = 32 * 1024 * 1024
"""In larger messages no audio is looked for: about 25 minutes of 8 kHz WAV."""
_VALUE_LIMIT = 998
_LINES_LIMIT = 500
_DEPTH_LIMIT = 5
_PARTS_LIMIT = 50

_END_OF_HEADER = re.compile(rb"(?:\A|\r?\n)\r?\n")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_NAME = re.compile(rb"[!-9;-~]{1,80}")
_PARAMETER = re.compile(r';\s*([A-Za-z0-9*-]{1,40})\s*=\s*(?:"([^"]*)"|([^\s;"]+))')
_ESCAPED = re.compile(r"\\(.)")
_CHARSETS = re.compile(r"utf-?8|us-ascii|iso-8859-[0-9]{1,2}|windows-125[0-8]|koi8-[ru]|cp125[0-8]")

Headers = Mapping[str, str]
"""Lower-case name to raw value; of several fields of one name, the first."""


def parse_headers(message: bytes) -> dict[str, str]:
    """The header fields at the start of *message* (which may be cut off anywhere)."""
    found: dict[str, str] = {}
    for name, text in header_fields(message):
        found.setdefault(name, text)
    return found


def header_fields(message: bytes, longest: int = _VALUE_LIMIT) -> Iterator[tuple[str, str]]:
    """All of them, from the top; of each value *longest* octets."""
    end = _END_OF_HEADER.search(message, 0, HEADER_LIMIT)
    block = message[: end.start() if end else HEADER_LIMIT]
    for line in _FOLD.sub(b"", block).splitlines()[:_LINES_LIMIT]:
        name, colon, value = line.partition(b":")
        if colon and _NAME.fullmatch(name):
            text = value[:longest].strip().decode("utf-8", "replace")
            yield name.decode("ascii").lower(), text


def decoded(value: str) -> str:
    """A header's text with its RFC 2047 words decoded; what is malformed stays as it is."""
    try:
        words = decode_header(value[:_VALUE_LIMIT])
    except (HeaderParseError, ValueError):
        return value
    return "".join(_text(word, charset) for word, charset in words)


def _text(word: bytes | str, charset: str | None) -> str:
    if isinstance(word, str):
        return word
    known = charset is not None and _CHARSETS.fullmatch(charset.lower())
    return word.decode(charset if known and charset else "utf-8", "replace")


def display_name(address: str) -> str:
    """The name in a ``From`` field, else its address; for showing and speaking only."""
    name, bracket, rest = address[:_VALUE_LIMIT].rpartition("<")
    name = name.strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = _ESCAPED.sub(r"\1", name[1:-1])
    shown = decoded(name).strip() if bracket else address.strip()
    return shown or rest.partition(">")[0].strip()


def media_type(headers: Headers) -> tuple[str, dict[str, str]]:
    """Content-Type as ``type/subtype`` in lower case, and its parameters."""
    value = headers.get("content-type", "text/plain")
    kind = value.partition(";")[0].strip().lower()
    return kind, {m[1].lower(): m[2] or m[3] or "" for m in _PARAMETER.finditer(value)}


def audio_attachment(message: bytes) -> bytes | None:
    """The first audio part of a message, decoded; None where there is none within the limits."""
    if len(message) > MESSAGE_LIMIT:
        return None
    return _first_audio(message, _DEPTH_LIMIT)


def _first_audio(entity: bytes, depth: int) -> bytes | None:
    headers = parse_headers(entity)
    kind, parameters = media_type(headers)
    if kind.startswith("multipart/") and depth:
        boundary = parameters.get("boundary", "")
        parts = _parts(entity, boundary.encode("utf-8", "replace")) if boundary else iter(())
        found = (_first_audio(part, depth - 1) for part in parts)
        return next((audio for audio in found if audio is not None), None)
    if kind.startswith("audio/") or _looks_like_audio(headers, parameters):
        return _payload(entity, headers.get("content-transfer-encoding", "7bit"))
    return None


def _looks_like_audio(headers: Headers, parameters: Mapping[str, str]) -> bool:
    """Some systems send audio as application/octet-stream with a telling file name."""
    disposition = headers.get("content-disposition", "")
    names = [m[2] or m[3] or "" for m in _PARAMETER.finditer(disposition)]
    names.append(parameters.get("name", ""))
    return any(name.lower().endswith((".wav", ".mp3", ".opus", ".ogg")) for name in names)


def _parts(entity: bytes, boundary: bytes) -> Iterator[bytes]:
    """What lies between the delimiter lines (RFC 2046 §5.1.1), at most 50 parts."""
    line = rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*\r?(?=\n|\Z)"
    found = list(itertools.islice(re.finditer(line, entity), _PARTS_LIMIT))
    for here, following in itertools.zip_longest(found, found[1:]):
        if here[1] is not None:
            return
        yield entity[here.end() + 1 : following.start() if following else len(entity)]


def _payload(entity: bytes, encoding: str) -> bytes | None:
    end = _END_OF_HEADER.search(entity, 0, HEADER_LIMIT)
    body = entity[end.end() :] if end else b""
    match encoding.strip().lower():
        case "base64":
            return _from_base64(body)
        case "quoted-printable":
            return quopri.decodestring(body)
        case _:
            return body


def _from_base64(body: bytes) -> bytes | None:
    try:
        return base64.b64decode(body)
    except binascii.Error:
        return None
