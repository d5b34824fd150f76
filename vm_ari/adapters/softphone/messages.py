"""SIP messages, read and written without any I/O (RFC 3261 sections 7 and 20).

Text is UTF-8 with `surrogateescape`: whatever bytes a header has, they survive, and tests can
send bytes that are not text at all.
"""

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Header = tuple[str, str]
Address = tuple[str, int]
RawHeaders = Mapping[str, str | bytes] | Iterable[tuple[str, str | bytes]]

REASONS = {
    100: "Trying",
    180: "Ringing",
    200: "OK",
    404: "Not Found",
    405: "Method Not Allowed",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    501: "Not Implemented",
    600: "Busy Everywhere",
    603: "Decline",
}
_COMPACT = {  # RFC 3261 section 7.3.3, RFC 6665 section 8.2.1
    "c": "content-type",
    "f": "from",
    "i": "call-id",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "t": "to",
    "v": "via",
}
_NEEDED = ("via", "from", "to", "call-id", "cseq")
_QUOTED_OR_BRACKETED = re.compile(r'"(?:\\.|[^"\\])*"|<[^>]*>')


class NotSip(ValueError):
    """These bytes are not a usable SIP message."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """What requests and responses share: headers in order, and a body."""

    headers: tuple[Header, ...]
    body: bytes = b""

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of the header *name*, in order."""
        return tuple(value for key, value in self.headers if _canonical(key) == name.lower())

    def get(self, name: str, default: str = "") -> str:
        """The first value of the header *name*."""
        return next(iter(self.all(name)), default)

    @property
    def call_id(self) -> str:
        """Names the call (or registration, or subscription) this message belongs to."""
        return self.get("call-id")

    @property
    def cseq(self) -> tuple[int, str]:
        """Number and method of the request this message is, or answers."""
        number, _, method = self.get("cseq").partition(" ")
        return int(number), method.strip()

    @property
    def transaction(self) -> Header:
        """The key of the transaction: branch of the topmost Via and method (RFC 3261 17.1.3)."""
        return parameter(self.get("via"), "branch"), self.cseq[1]

    def _encode(self, first_line: str) -> bytes:
        lines = [first_line, *(f"{name}: {value}" for name, value in self.headers)]
        head = "\r\n".join([*lines, f"Content-Length: {len(self.body)}", "", ""])
        return head.encode("utf-8", "surrogateescape") + self.body


@dataclass(frozen=True, kw_only=True)
class Request(Message):
    """A SIP request, e.g. INVITE."""

    method: str
    uri: str

    def encode(self) -> bytes:
        """The bytes of one datagram."""
        return self._encode(f"{self.method} {self.uri} SIP/2.0")

    def related(self, method: str, to: str | None = None) -> "Request":
        """The CANCEL, or the ACK of a refusal, of this INVITE (RFC 3261 sections 9.1, 17.1.1.3).

        *to*: the To value of the response, which carries the other side's tag.
        """
        kept = [h for h in self.headers if h[0] in ("Via", "Route", "From", "Call-ID")]
        values = {"To": to or self.get("to"), "CSeq": f"{self.cseq[0]} {method}"}
        headers = (*kept, *values.items(), ("Max-Forwards", "70"))
        return Request(method=method, uri=self.uri, headers=headers)


@dataclass(frozen=True, kw_only=True)
class Response(Message):
    """A SIP response, e.g. 200 OK."""

    status: int
    reason: str

    def encode(self) -> bytes:
        """The bytes of one datagram."""
        return self._encode(f"SIP/2.0 {self.status} {self.reason}")

    @property
    def final(self) -> bool:
        """Is this the last word on the request?"""
        return self.status >= 200


def parse(datagram: bytes) -> Request | Response:
    """Read one datagram; raises NotSip for anything that cannot be answered sensibly."""
    head, _, body = datagram.partition(b"\r\n\r\n")
    first, _, rest = head.decode("utf-8", "surrogateescape").lstrip("\r\n").partition("\r\n")
    headers = tuple(_headers(rest))
    words = first.split(" ", 2)
    if len(words) != 3:
        raise NotSip("neither a request line nor a status line")
    message: Request | Response
    if words[0] == "SIP/2.0":
        message = Response(
            status=_number(words[1]), reason=words[2], headers=headers, body=_cut(headers, body)
        )
    elif words[2] == "SIP/2.0":
        message = Request(method=words[0], uri=words[1], headers=headers, body=_cut(headers, body))
    else:
        raise NotSip("not SIP/2.0")
    _check(message)
    return message


def reply(
    request: Request, status: int, *, tag: str, headers: Iterable[Header] = (), body: bytes = b""
) -> Response:
    """The response to *request* (RFC 3261 section 8.2.6); *tag* names our end of the dialog."""
    kept = [(name, value) for name in ("Via", "From") for value in request.all(name)]
    to = request.get("to")
    if status > 100 and not parameter(to, "tag"):
        to = f"{to};tag={tag}"
    routes = [("Record-Route", value) for value in request.all("record-route")]
    same = [("To", to), ("Call-ID", request.call_id), ("CSeq", request.get("cseq"))]
    return Response(
        status=status,
        reason=REASONS.get(status, "Refused"),
        headers=(*kept, *same, *routes, *headers),
        body=body,
    )


def parameter(value: str, name: str) -> str:
    """The parameter *name* of a header value, outside quotes and `<…>`; "" where there is none."""
    bare = _QUOTED_OR_BRACKETED.sub("", value)
    found = re.search(rf";\s*{re.escape(name)}\s*=\s*([^;,\s]+)", bare, re.IGNORECASE)
    return found[1] if found else ""


def uri_of(value: str) -> str:
    """The URI of a From, To, Contact or Route value, with or without `<…>`."""
    unquoted = re.sub(r'"(?:\\.|[^"\\])*"', "", value)
    bracketed = re.search(r"<([^>]*)>", unquoted)
    return bracketed[1] if bracketed else unquoted.partition(";")[0].strip()


def text(value: str | bytes) -> str:
    """A header value given as text or as raw bytes, as the text this module works with."""
    return value if isinstance(value, str) else value.decode("utf-8", "surrogateescape")


def header_list(headers: RawHeaders) -> tuple[Header, ...]:
    """Headers given as a mapping or as pairs (the same name may come twice), values verbatim."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return tuple((name, text(value)) for name, value in pairs)


def token() -> str:
    """A fresh tag, branch or Call-ID part (RFC 3261 section 19.3 wants 32 random bits)."""
    return secrets.token_hex(8)


def _canonical(name: str) -> str:
    lowered = name.lower()
    return _COMPACT.get(lowered, lowered)


def _headers(block: str) -> Iterable[Header]:
    unfolded = re.sub(r"\r\n[ \t]+", " ", block)
    for line in unfolded.split("\r\n") if unfolded else ():
        name, colon, value = line.partition(":")
        if not colon:
            raise NotSip("a header line without a colon")
        yield name.strip(), value.strip()


def _number(digits: str) -> int:
    if not (digits.isascii() and digits.isdigit() and len(digits) < 11):
        raise NotSip("a number was expected")
    return int(digits)


def _cut(headers: tuple[Header, ...], body: bytes) -> bytes:
    """The body without what follows it in the datagram (RFC 3261 section 18.3)."""
    lengths = [value for name, value in headers if _canonical(name) == "content-length"]
    return body[: _number(lengths[0])] if lengths else body


def _check(message: Message) -> None:
    missing = [name for name in _NEEDED if not message.get(name)]
    if missing:
        raise NotSip(f"without {missing[0]}")
    number, _, method = message.get("cseq").partition(" ")
    _number(number)
    if not method.strip():
        raise NotSip("CSeq without a method")
