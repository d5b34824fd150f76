"""Takes what can be faxed out of one hostile mail, in a process of its own.

``python -m vm_ari.adapters.fax_documents_worker MOST < MAIL``: a line of JSON for each document,
``{"type": media type, "data": base64}``; where there is none, the text of the mail. With a second
argument ``letter`` the text does not stand in for a document, but comes first, as
``{"subject": text, "text": text}``.
"""

import base64
import binascii
import json
import mmap
import os
import quopri
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from vm_ari.adapters.confinement import confine

if TYPE_CHECKING:
    from vm_ari.adapters.mail_parts import Parts

MEMORY = 768 << 20
"""Bytes of address space."""
CPU_SECONDS = 15
_KINDS = {
    "image/tif": "image/tiff",
    "image/tiff-fx": "image/tiff",
    "application/x-pdf": "application/pdf",
}
_STARTS = {
    "application/pdf": (b"%PDF-",),
    "image/tiff": (b"II*\0", b"MM\0*"),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
}
_SUFFIXES = {".pdf": "application/pdf", ".tif": "image/tiff", ".tiff": "image/tiff"}


def main() -> None:
    """Read the file that is standard input."""
    confine(memory=MEMORY, cpu_seconds=CPU_SECONDS)
    from vm_ari.adapters.mail_parts import MOST_SCANNED, Buffer

    whole = min(os.fstat(sys.stdin.fileno()).st_size, MOST_SCANNED)
    try:
        mail: Buffer = b""
        if whole:  # nothing cannot be mapped
            mail = mmap.mmap(sys.stdin.fileno(), whole, access=mmap.ACCESS_READ)
        found = list(islice(_documents(mail), int(sys.argv[1])))
        if sys.argv[2:] == ["letter"]:
            sys.stdout.write(json.dumps(_around(mail)) + "\n")
        else:
            found = found or _text(mail)
    except (MemoryError, RecursionError) as error:
        sys.exit(type(error).__name__)
    for kind, data in found:
        answer = {"type": kind, "data": base64.b64encode(data).decode()}
        sys.stdout.write(json.dumps(answer) + "\n")


def _documents(mail: "bytes | mmap.mmap") -> Iterator[tuple[str, bytes]]:
    """Files that are what they say they are."""
    from vm_ari.adapters.mail_parts import parts_of

    for part in parts_of(mail).attachments:
        suffix = Path(part.file_name.lower()).suffix
        kind = _SUFFIXES.get(suffix) or _KINDS.get(part.kind) or part.kind
        if kind not in _STARTS:
            continue
        encoding = part.headers.get("content-transfer-encoding", "").strip().lower()
        data = _decoded(mail[part.start : part.end], encoding)
        if data.startswith(_STARTS[kind]):
            yield kind, data


def _decoded(body: bytes, encoding: str) -> bytes:
    match encoding:
        case "base64":
            with suppress(binascii.Error):
                return binascii.a2b_base64(body)
            return b""
        case "quoted-printable":
            return quopri.decodestring(body)
        case _:
            return body


def _around(mail: "bytes | mmap.mmap") -> dict[str, str]:
    """Subject and text."""
    from vm_ari.adapters.mail_reading import decoded

    parts, text = _written(mail)
    return {"subject": decoded(parts.headers.get("subject", "")), "text": text}


def _written(mail: "bytes | mmap.mmap") -> "tuple[Parts, str]":
    """The parts of the mail, and its text as somebody would read it."""
    from vm_ari.adapters.mail_html import text_of_html
    from vm_ari.adapters.mail_parts import parts_of, text_of

    parts = parts_of(mail)
    texts = []
    for choice in parts.texts:
        plain = next((part for part in choice if part.kind == "text/plain"), None)
        best = plain or choice[-1]
        text, _ = text_of(mail, best)
        texts.append(text if best is plain else text_of_html(text)[0])
    return parts, "\n\n".join(one.strip() for one in texts if one.strip())


def _text(mail: "bytes | mmap.mmap") -> list[tuple[str, bytes]]:
    """As somebody would read it, in UTF-8."""
    from vm_ari.adapters.mail_reading import decoded

    parts, text = _written(mail)
    if not text:
        return []
    names = ("from", "date", "subject")
    head = "".join(f"{n.title()}: {decoded(parts.headers.get(n, ''))}\n" for n in names)
    return [("text/plain", f"{head}\n{text}\n".encode("utf-8", "replace"))]


if __name__ == "__main__":
    main()
