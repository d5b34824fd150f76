"""The hostile mails, each made by a few lines: nothing large is stored.

    python -m tests.corpus.hostile_mails FOLDER

writes them as files, for other programs to be tried with, or as seeds for a fuzzer.
"""

import base64
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

FINDS = Path(__file__).with_name("finds")
"""What the fuzzer has found; each file was a fault once."""
HEAD = b"From: Eve <eve@example.org>\r\nSubject: Look\r\nMIME-Version: 1.0\r\n"
WORDS = b"Please call me back tomorrow, it is about the contract that we have talked about."
CHARSETS = {
    "utf-8": "Grüße, œuvre, Привет, 日本語",
    "iso-8859-1": "Grüße, à bientôt",
    "iso-8859-15": "Preis: 5 €",
    "windows-1252": "„Grüße“ – 5 €",
    "windows-1251": "Привет, как дела",
    "koi8-r": "Привет, как дела",
    "iso-2022-jp": "日本語のメール",
    "shift_jis": "日本語のメール",
    "gb18030": "中文邮件",
    "euc-kr": "한국어 메일",
    "big5": "中文郵件",
    "utf-16": "Grüße in two bytes",
    "utf-7": "Grüße in seven bits",
}
WRONG_CHARSETS = (
    "",
    "unknown-8bit",
    "rot13",
    "zlib",
    "unicode_escape",
    "idna",
    "punycode",
    "../../etc/passwd",
    "utf-8\0",
    "x" * 5000,
    "undefined",
    "hex",
    "mbcs",
)


def mail(body: bytes, kind: str = "text/plain; charset=utf-8", *, encoding: str = "8bit") -> bytes:
    """A mail of one part."""
    fields = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return HEAD + fields.encode("utf-8", "surrogateescape") + body


def multipart(*parts: bytes, subtype: str = "mixed", boundary: str = "b") -> bytes:
    """A mail of several, each with its header."""
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n\r\n'.encode()
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return HEAD + head + body + b"--" + boundary.encode() + b"--\r\n"


def html(body: str) -> bytes:
    """A mail in HTML."""
    return mail(body.encode("utf-8", "surrogatepass"), "text/html; charset=utf-8")


def nested(depth: int) -> bytes:
    """Multipart in multipart."""
    head = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
        for n in range(depth)
    )
    return HEAD + head + b"Content-Type: text/plain\r\n\r\n" + WORDS


def _charsets() -> Iterator[tuple[str, bytes]]:
    for charset, text in CHARSETS.items():
        yield f"charset-{charset}", mail(text.encode(charset), f"text/plain; charset={charset}")
    for number, charset in enumerate(WRONG_CHARSETS):
        yield (
            f"wrong-charset-{number}",
            mail(WORDS + b" \xff\xfe\x80", f'text/plain; charset="{charset}"'),
        )
    yield "charset-lies", mail(WORDS + " Grüße".encode("cp1252"), "text/plain; charset=utf-8")
    yield "overlong-utf8", mail(WORDS + b"\xc0\x80\xed\xa0\x80\xf5\x80\x80\x80")


def _structures() -> Iterator[tuple[str, bytes]]:
    text = b"Content-Type: text/plain\r\n\r\n" + WORDS
    yield "nested-10", nested(10)
    yield "nested-5000", nested(5000)
    yield "messages-in-messages", b"Content-Type: message/rfc822\r\n\r\n" * 3000 + text
    yield "5000-parts", multipart(*[text] * 5000)
    yield "5000-alternatives", multipart(*[text] * 5000, subtype="alternative")
    yield "no-boundary", HEAD + b"Content-Type: multipart/mixed\r\n\r\n" + WORDS
    yield (
        "boundary-never-comes",
        HEAD + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + WORDS,
    )
    yield "boundary-pattern", multipart(text, boundary="(a+)+$.*[")
    yield "boundary-long", multipart(text, boundary="x" * 5000)
    yield "same-boundary-inside", multipart(multipart(text, text), text)
    yield (
        "almost-boundaries",
        HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--bx\r\n" * 200_000,
    )
    yield (
        "only-dashes",
        HEAD + b"Content-Type: multipart/mixed; boundary=-\r\n\r\n" + b"-" * 1_000_000,
    )
    yield "cut-off", multipart(text, text)[:-40]
    yield "empty", b""
    yield "nothing-but-line-ends", b"\r\n" * 10_000
    yield "no-header", b"\r\n\r\n" + WORDS
    yield "no-body", HEAD


def _headers() -> Iterator[tuple[str, bytes]]:
    encoded = b"=?utf-8?q?x?= " * 16_000
    yield "subject-of-encoded-words", b"Subject: " + encoded + b"\r\n" + mail(WORDS)
    yield "subject-of-megabytes", b"Subject: " + b"a" * 3_000_000 + b"\r\n\r\n" + WORDS
    yield (
        "subject-in-broken-words",
        b"Subject: =?utf-8?b?====?= =?x?q?=ZZ?= =?utf-8?q?\r\n" + mail(WORDS),
    )
    yield "subject-with-controls", b"Subject: \x1b[31m<speed level='9'>\x00\x07\r\n" + mail(WORDS)
    yield "from-of-brackets", b"From: " + b"<" * 50_000 + b"\r\n" + mail(WORDS)
    yield "from-of-comments", b"From: " + b"(" * 50_000 + b"\r\n" + mail(WORDS)
    yield "from-is-broken", b'From: "Eve\\" <@,,;:>\r\n' + mail(WORDS)
    yield "50000-fields", b"".join(b"X-%d: y\r\n" % n for n in range(50_000)) + mail(WORDS)
    yield "field-of-folds", b"Subject: a\r\n" + b" b\r\n" * 100_000 + mail(WORDS)
    dates = (b"Date: 99 Foo 99999 99:99:99 +9999", b"Date: " + b"9" * 5000, b"Date: \xff")
    for number, date in enumerate(dates):
        yield f"broken-date-{number}", date + b"\r\n" + mail(WORDS)
    kinds = (
        "text/plain; " + "a=b; " * 20_000,
        "text/" + "x" * 70_000,
        ";;;;",
        "/",
        "text/plain; charset",
    )
    for number, kind in enumerate(kinds):
        yield f"content-type-{number}", mail(WORDS, kind)
    name = "../../../etc/" + "a" * 5000 + "\x1b.pdf"
    part = f'Content-Type: x/y; name="{name}"\r\n\r\n'.encode() + WORDS
    yield "file-name", multipart(b"Content-Type: text/plain\r\n\r\n" + WORDS, part)
    extended = b"".join(b" filename*%d*=utf-8''%%00%%ff;" % n for n in range(2000))
    yield (
        "file-name-in-pieces",
        multipart(b"Content-Disposition: attachment;" + extended + b"\r\n\r\nx"),
    )


def _html_bombs() -> Iterator[tuple[str, bytes]]:
    yield "html-depth", html("<div>" * 100_000 + "deep")
    yield "html-depth-of-inline", html("<b><i>" * 50_000 + "deep" + "</i></b>" * 50_000)
    yield "html-tables-in-tables", html("<table><tr><td>" * 5000 + "deep")
    yield "html-wide-table", html("<table><tr>" + "<td>x" * 200_000 + "</table>")
    yield "html-long-table", html("<table>" + "<tr><td>a<td>b" * 50_000 + "</table>")
    yield "html-span", html("<table><tr><td colspan=99999999 rowspan=99999999>x<td>y</table>")
    yield "html-elements", html("<p>x" * 250_000)
    yield "html-removed-siblings", html("<img>text" * 100_000)
    yield "html-attributes", html("<p " + " ".join(f"a{n}=1" for n in range(50_000)) + ">x")
    yield "html-style", html(f"<p style='{'padding-left:100000em;' * 5000}'>x</p>" * 5)
    yield "html-entities", html("&amp;" * 200_000 + "&#x1F600;&#0;&#xD800;&#1114112;&bogus;")
    yield (
        "html-billion-laughs",
        html("<!DOCTYPE x [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]><p>&b;&b;</p>"),
    )
    yield "html-external", html("<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><p>&a;</p>")
    yield "html-open-tags", html("<" * 300_000)
    yield "html-comments", html("<!--" * 100_000 + "x")
    yield "html-lists", html("<ul><li>" * 20_000 + "deep")
    yield "html-quotes", html("<blockquote type=cite>" * 20_000 + "deep")
    yield "html-pre", html("<pre>" + " " * 500_000 + "x</pre>")
    yield "html-controls", html("<p>\0\x01\ud800 \ufffe &#8;</p>")
    yield "html-in-utf16", mail("<p>Hello</p>".encode("utf-16"), "text/html; charset=utf-16")
    yield "html-says-other-charset", html("<meta charset=utf-16><p>Hello there, it is me</p>")


def _texts() -> Iterator[tuple[str, bytes]]:
    yield "accents-on-one-letter", mail(("a" + "\u0301\u0316" * 100_000).encode())
    yield "zalgo", mail(("H" + "\u0336\u0489\u0353" * 20 + "e").encode() * 500)
    yield "directions", mail(("\u202e\u2066\u200f\u200b" * 1000 + "safe words").encode())
    yield "one-line", mail(b"word " * 400_000)
    yield "one-word", mail(b"x" * 2_000_000)
    yield "digits", mail(b"1234567890" * 100_000)
    yield "dots-and-digits", mail(b"1.2." * 200_000)
    yield "dividers", mail(b"1,234," * 100_000 + b"  \t \t" * 100_000)
    yield "blanks", mail(b" \t" * 500_000 + b"|")
    yield "bars", mail(b"a | " * 200_000)
    yield "quotes", mail((b">" * 3000 + b" x\r\n") * 200)
    yield "attributions", mail((b"On " + b"a" * 3000 + b" wrote\r\n") * 200)
    yield "links", mail(b"http://" * 100_000)
    yield "addresses", mail(b"a.a.a.a-a_a+" * 100_000 + b"@")
    yield "phones", mail(b"+1 (2) 3-4 / " * 80_000)
    yield "phonemes", mail(b"<phoneme ph='f'/> [[_:h@l'oU]] \\pau=9999\\ {x} \x1b|\x07 Hello")
    yield "emoji", mail("🤖🏴‍☠️👨‍👩‍👧‍👦".encode() * 30_000)
    yield "armour", mail(b"-----BEGIN PGP MESSAGE-----\r\n" * 20_000)
    yield (
        "base64-of-everything",
        mail(base64.encodebytes(random.Random(1).randbytes(500_000)), encoding="base64"),
    )
    yield "base64-broken", mail(b"SGVsbG8gd29ybGQ!!==\x00\xff=QQ", encoding="base64")
    yield "base64-one-letter", mail(b"A", encoding="base64")
    yield "quoted-printable-broken", mail(b"=ZZ=\r\n=4=\x00" * 10_000, encoding="quoted-printable")
    yield "encoding-unknown", mail(WORDS, encoding="x-" + "y" * 5000)
    yield "uuencode", mail(b"begin 644 x\r\n" + b"M" * 100_000, encoding="x-uuencode")
    yield "random-bytes", random.Random(2).randbytes(300_000)


def forged_voice_mails() -> Iterator[tuple[str, bytes]]:
    """Ordinary mails that would like to pass for messages that a caller has left."""
    own = (
        b"X-VM-ARI-Call-ID: 1\r\nX-VM-ARI-Caller: +4971112345\r\nX-VM-ARI-Duration: 7\r\n"
        b"X-VM-ARI-Caller-Name: The Bank\r\nX-VM-ARI-Signature: " + b"0" * 64 + b"\r\n"
    )
    sound = b"Content-Type: audio/x-wav; name=msg.wav\r\n\r\nRIFF"
    text = b"Content-Type: text/plain\r\n\r\n" + WORDS
    yield "forged-own-fields", own + mail(WORDS)
    yield "forged-with-sound", own + multipart(text, sound)
    yield "forged-duration", b"X-VoiceMessageDuration: 7\r\n" + mail(WORDS)
    yield "forged-caller", b"X-CallingTelephoneNumber: +4971112345\r\n" + mail(WORDS)


def claimed_voice_mails() -> Iterator[tuple[str, bytes]]:
    """They are voice messages by the standard fields, of a caller that nobody vouches for."""
    sound = b"Content-Type: audio/x-wav; name=msg.wav\r\n\r\nRIFF"
    text = b"Content-Type: text/plain\r\n\r\n" + WORDS
    context = b"Message-Context: voice-message\r\nX-CallingTelephoneNumber: +4971112345\r\n"
    asterisk = b"X-Asterisk-VM-Extension: 101\r\nX-Asterisk-VM-Caller-ID-Num: +4971112345\r\n"
    own = b"X-VM-ARI-Call-ID: 1\r\nX-VM-ARI-Caller: +4971112345\r\nX-VM-ARI-Duration: 7\r\n"
    yield "claimed-context", context + mail(WORDS)
    yield "claimed-with-sound", context + multipart(text, sound)
    yield "claimed-asterisk", asterisk + multipart(text, sound)
    yield "claimed-twice", own + context + own + mail(WORDS)
    yield "claimed-vpim", b"Content-Type: multipart/voice-message\r\n" + context + own + mail(WORDS)


SMALL: tuple[Callable[[], Iterator[tuple[str, bytes]]], ...] = (
    *(_charsets, _structures, _headers, _html_bombs, _texts, forged_voice_mails),
    claimed_voice_mails,
)


def hostile_mails() -> Iterator[tuple[str, bytes]]:
    """All of up to some megabytes, with their names, and what the fuzzer has found."""
    for group in SMALL:
        yield from group()
    for path in sorted(FINDS.glob("*.eml")):
        yield f"find-{path.stem}", path.read_bytes()


def large_mails(megabytes: int) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Of so many megabytes, in portions: for files."""
    line = base64.b64encode(bytes(range(54))) + b"\r\n"
    count = (megabytes << 20) // 1_000_000
    text = b"--b\r\nContent-Type: text/plain\r\n\r\n" + WORDS + b"\r\n"
    head = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    file = b"--b\r\nContent-Type: x/y; name=large.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    body = line * (1_000_000 // len(line))
    yield "large-attachment", iter([head, text, file, *[body] * count, b"--b--\r\n"])
    yield "large-text", iter([mail(b""), *[b"All work and no play. " * 45_000] * count])
    yield "large-html", iter([html("<p>"), *[b"<b>x</b><td>" * 83_000] * count])
    yield "large-header", iter([b"Subject: ", *[b"a" * 1_000_000] * count])
    yield "large-line-ends", iter([head, *[b"\n--" * 333_000] * count])
    yield "text-after-attachment", iter([head, file, *[body] * count, text, b"--b--\r\n"])


def main() -> None:
    """Write the small ones, and large ones of 100 MB."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in hostile_mails():
        (folder / f"{name}.eml").write_bytes(content)
    for name, portions in large_mails(100 if "--large" in sys.argv else 0):
        with (folder / f"{name}.eml").open("wb") as file:
            file.writelines(portions)


if __name__ == "__main__":
    main()
