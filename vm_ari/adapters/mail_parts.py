"""The parts of a mail that anybody may have written: found in one bounded walk.

Runs in the confined worker. Like `mail_reading` it does without the standard library's parser,
which one header can drive to gigabytes; unlike it, it works on files that are not read whole.
"""

import binascii
import codecs
import mmap
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from vm_ari.adapters.mail_reading import HEADER_LIMIT, Headers, decoded, media_type, parse_headers

MOST_SCANNED = 128 << 20
"""Bytes of a mail in which parts are looked for."""
DEPTH = 8
MOST_PARTS = 200
MOST_ENCODED = 2 << 20
"""Bytes of one part of text that are looked at."""
MOST_TEXT = 200_000
"""Characters of one part of text: three hours of speech."""
_LONGEST_BOUNDARY = 200
_MOST_LINES = 5000
_BLANK_LINE = re.compile(rb"(?:\A|\r?\n)\r?\n")
_CHARSET = re.compile(
    r"(?i)(?:utf-?(?:8|16|32|7)(?:-?[bl]e)?|us-ascii|ascii|iso-?8859-?\d{1,2}|latin-?\d|"
    r"(?:windows|cp)-?\d{3,4}|koi8-[rut]|mac-?\w{1,12}|gb2312|gbk|gb18030|big5(?:-hkscs)?|"
    r"euc-(?:jp|kr)|iso-2022-(?:jp|kr)|shift_?jis|hz|tis-620)\Z"
)

Buffer = bytes | mmap.mmap


@dataclass(frozen=True)
class Part:
    """A leaf of the tree: headers, and where its body lies."""

    kind: str
    """Media type: ``text/plain``."""
    headers: Headers
    parameters: dict[str, str]
    start: int
    end: int

    @property
    def is_attachment(self) -> bool:
        """Is it meant to be kept rather than read?"""
        if self.kind not in {"text/plain", "text/html"}:
            return True
        placed = self.headers.get("content-disposition", "").strip().lower()
        return placed.startswith("attachment") or bool(self.file_name)

    @property
    def file_name(self) -> str:
        """Decoded, without folders; empty where there is none."""
        placed = media_type({"content-type": self.headers.get("content-disposition", "")})[1]
        name = _extended(placed, "filename") or _extended(self.parameters, "name")
        return re.split(r"[/\\]", name)[-1].strip()

    @property
    def is_silent(self) -> bool:
        """A picture of the layout, a signature, a certificate: nobody wants to hear of it."""
        placed = self.headers.get("content-disposition", "").strip().lower()
        picture = self.kind.startswith("image/") and "content-id" in self.headers
        return (picture and not placed.startswith("attachment")) or self.kind in _SILENT


_SILENT = {
    *("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"),
    *("application/pgp-encrypted", "message/delivery-status", "message/disposition-notification"),
    "text/rfc822-headers",
}
ENCRYPTED = {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}


@dataclass
class Parts:
    """What a mail consists of."""

    headers: Headers
    texts: list[list[Part]] = field(default_factory=list)
    """One after the other; of each, the alternatives."""
    attachments: list[Part] = field(default_factory=list)
    encrypted: bool = False
    truncated: bool = False
    """There may be more."""
    count: int = 0


def parts_of(mail: Buffer) -> Parts:
    """Walk through a mail; whatever it holds, this does not raise."""
    end = min(len(mail), MOST_SCANNED)
    found = Parts(parse_headers(mail[:HEADER_LIMIT]), truncated=end < len(mail))
    _walk(mail, 0, end, DEPTH, found, None)
    return found


def _walk(
    mail: Buffer, start: int, end: int, depth: int, found: Parts, choice: list[Part] | None
) -> None:
    """Look at one entity; *choice* collects the alternatives that it is one of."""
    found.count += 1
    if found.count > MOST_PARTS:
        found.truncated = True
        return
    head = mail[start : min(end, start + HEADER_LIMIT)]
    headers = parse_headers(head)
    blank = _BLANK_LINE.search(head)
    body = start + blank.end() if blank else end
    kind, parameters = media_type(headers)
    found.encrypted |= kind in ENCRYPTED and "signed" not in parameters.get("smime-type", "")
    if not kind.startswith("multipart/"):
        _keep(Part(kind, headers, parameters, body, end), found, choice)
        return
    boundary = parameters.get("boundary", "")[:_LONGEST_BOUNDARY].encode("utf-8", "replace")
    spans = list(_spans(mail, body, end, boundary)) if boundary and depth else []
    if not spans:  # it has lost its parts; perhaps there is text nevertheless
        found.truncated |= not depth
        _keep(Part("text/plain", headers, parameters, body, end), found, choice)
    if kind == "multipart/alternative" and choice is None and spans:
        choice = []
        found.texts.append(choice)
    for here, there in spans:
        _walk(mail, here, there, depth - 1, found, choice)


def _keep(part: Part, found: Parts, choice: list[Part] | None) -> None:
    if not part.is_attachment:
        if choice is None:
            found.texts.append([part])
        else:
            choice.append(part)
    elif not part.is_silent and part.kind not in ENCRYPTED:
        found.attachments.append(part)


def _spans(mail: Buffer, start: int, end: int, boundary: bytes) -> Iterator[tuple[int, int]]:
    """What lies between the delimiter lines (RFC 2046 §5.1.1); the last part may be cut off."""
    here: int | None = None
    at, count = max(start - 1, 0), 0
    while (at := mail.find(b"\n--" + boundary, at, end)) >= 0 and count < _MOST_LINES:
        count += 1
        line = mail[at + 3 + len(boundary) : min(end, at + 300 + len(boundary))]
        rest = line.split(b"\n", 1)[0].rstrip()
        if rest not in {b"", b"--"}:
            at += 1
            continue
        if here is not None:
            yield here, at
        if rest:
            return
        at += 3 + len(boundary)
        newline = mail.find(b"\n", at, end)
        here = at = newline if newline >= 0 else end
        here = min(here + 1, end)
    if here is not None:
        yield here, end


def text_of(mail: Buffer, part: Part) -> tuple[str, bool]:
    """The text of a part, and whether it is only the beginning."""
    encoded = mail[part.start : min(part.end, part.start + MOST_ENCODED)]
    raw = _unencoded(encoded, part.headers.get("content-transfer-encoding", "").strip().lower())
    text = _decoded_text(raw, part.parameters.get("charset", ""))
    cut = len(text) > MOST_TEXT or part.end - part.start > MOST_ENCODED
    return text[:MOST_TEXT], cut


def body_of(mail: Buffer, part: Part) -> bytes:
    """The content of a part, whole."""
    encoding = part.headers.get("content-transfer-encoding", "").strip().lower()
    return _unencoded(mail[part.start : part.end], encoding)


def _unencoded(body: bytes, encoding: str) -> bytes:
    match encoding:
        case "base64":
            letters = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
            return binascii.a2b_base64(letters[: len(letters) // 4 * 4] + _rest(letters))
        case "quoted-printable":
            return quopri.decodestring(body)
        case "x-uuencode" | "uuencode" | "x-yenc":
            return b""
        case _:
            return body


def _rest(letters: bytes) -> bytes:
    """The last, incomplete group with its padding; a single letter holds nothing."""
    rest = letters[len(letters) // 4 * 4 :]
    return rest.ljust(4, b"=") if len(rest) > 1 else b""


def _decoded_text(raw: bytes, charset: str) -> str:
    """As it says it is written, else as it seems to be."""
    raw = raw[: 4 * MOST_TEXT]
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if raw.startswith(mark):
            return raw[len(mark) if name == "utf-8" else 0 :].decode(name, "replace")
    if _CHARSET.match(charset) and charset.lower() not in {"us-ascii", "ascii"}:
        # who writes iso-8859-1 means windows-1252, and browsers read it so
        latin = re.fullmatch(r"(?i)iso-?8859-?1|latin-?1", charset)
        try:
            return raw.decode("cp1252" if latin else charset, "replace")
        except (LookupError, ValueError):
            pass
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(raw)  # a cut last letter is no error
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _extended(parameters: dict[str, str], name: str) -> str:
    """A parameter's value by RFC 2231, RFC 2047 or as it stands."""
    pieces = [parameters.get(name, "")]
    if not pieces[0]:
        names = [f"{name}*", *(f"{name}*{n}{star}" for n in range(10) for star in ("", "*"))]
        pieces = [parameters[key] for key in names if key in parameters]
    value = "".join(pieces)[:500]
    charset, quoted, rest = value.partition("'")[0], value.count("'") >= 2, value.split("'", 2)[-1]
    if quoted and name not in parameters:
        return _decoded_text(unquote_to_bytes(rest), charset)
    return decoded(value)
