"""What of a mail can be sent as a fax: its documents, or its text (INBOX-08).

The mail is anybody's: it is taken apart in a confined worker, whose answer is not trusted either.
"""

import asyncio
import base64
import binascii
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import structlog

from vm_ari.adapters.mail_files import write_private
from vm_ari.adapters.sent_mail import Document
from vm_ari.adapters.worker_process import WorkerTooChatty, WorkerTooSlow, run_module
from vm_ari.ports import DeliveryRefused
from vm_ari.ports.fax_sending import FaxLetter, Paper

log = structlog.get_logger(__name__)

WORKER = "vm_ari.adapters.fax_documents_worker"
PATIENCE = 20.0
"""Seconds for one mail."""
MOST_DOCUMENTS = 5
SUFFIXES = {
    "application/pdf": ".pdf",
    "image/tiff": ".tiff",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "text/plain": ".txt",
}
"""What can be sent; other documents are left out."""
_MOST_OUTPUT = 64 << 20


async def fax_documents(mail: Path) -> Sequence[Document]:
    """In their order, at least one. Raises `DeliveryRefused`, OSError."""
    lines = await _taken_apart(mail)
    found = [doc for line in lines if (doc := _document(line)) is not None]
    if not found:
        raise DeliveryRefused("in this mail is nothing that can be sent as a fax")
    return [_named(doc, place) for place, doc in enumerate(found[:MOST_DOCUMENTS], start=1)]


async def fax_papers(mail: Path) -> Sequence[Paper]:
    """The same, for a fax that this house sends itself."""
    found = await fax_documents(mail)
    return [Paper(one.media_type.partition(";")[0], one.data, one.filename) for one in found]


async def fax_letter(content: bytes) -> FaxLetter:
    """The same of a mail that is to become a fax itself, with what is written in it.

    Raises `DeliveryRefused`, OSError.
    """
    with tempfile.TemporaryDirectory(prefix="vm-ari-fax-") as folder:
        mail = Path(folder) / "mail"
        await asyncio.to_thread(write_private, mail, [content])
        first, *rest = (await _taken_apart(mail, "letter")) or [b""]
    found = [doc for line in rest if (doc := _document(line)) is not None]
    papers = [Paper(one.media_type, one.data) for one in found[:MOST_DOCUMENTS]]
    subject, text = _words(first)
    if not papers and not text.strip():
        raise DeliveryRefused("in this mail is nothing that can be sent as a fax")
    return FaxLetter(papers, subject, text)


async def _taken_apart(mail: Path, *how: str) -> list[bytes]:
    """Lines of the worker's answer. Raises `DeliveryRefused`, OSError."""
    descriptor = os.open(mail, os.O_RDONLY | os.O_CLOEXEC)
    try:
        done = await run_module(
            WORKER,
            [str(MOST_DOCUMENTS), *how],
            descriptor,
            seconds=PATIENCE,
            most_output=_MOST_OUTPUT,
        )
    except (WorkerTooSlow, WorkerTooChatty) as error:
        log.warning("mail not made a fax", reason=type(error).__name__)
        raise DeliveryRefused("this mail cannot be made a fax") from error
    finally:
        os.close(descriptor)
    if done.code:
        raise DeliveryRefused("in this mail is nothing that can be sent as a fax")
    return done.output.splitlines()


def _words(line: bytes) -> tuple[str, str]:
    """Subject and text."""
    try:
        answer = json.loads(line)
        return str(answer["subject"]), str(answer["text"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", ""


def _document(line: bytes) -> Document | None:
    try:
        answer = json.loads(line)
        kind, data = answer["type"], base64.b64decode(answer["data"], validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError):
        return None
    return Document(data, kind, "") if kind in SUFFIXES and data else None


def _named(document: Document, place: int) -> Document:
    kind, filename = document.media_type, f"fax-{place}{SUFFIXES[document.media_type]}"
    charset = "; charset=utf-8" if kind.startswith("text/") else ""
    return Document(document.data, kind + charset, filename)
