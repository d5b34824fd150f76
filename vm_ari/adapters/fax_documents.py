"""What of a mail can be sent as a fax: its documents, or its text (INBOX-08).

The mail is anybody's: it is taken apart in a confined worker, whose answer is not trusted either.
"""

import base64
import binascii
import json
import os
from collections.abc import Sequence
from pathlib import Path

import structlog

from vm_ari.adapters.sent_mail import Document
from vm_ari.adapters.worker_process import WorkerTooChatty, WorkerTooSlow, run_module
from vm_ari.ports import DeliveryRefused

log = structlog.get_logger(__name__)

WORKER = "vm_ari.adapters.fax_documents_worker"
PATIENCE = 20.0
"""Seconds for one mail."""
MOST_DOCUMENTS = 5
SUFFIXES = {
    "application/pdf": ".pdf",
    "image/tiff": ".tiff",
    "image/png": ".png",
    "text/plain": ".txt",
}
"""What can be sent; other documents are left out."""
_MOST_OUTPUT = 64 << 20


async def fax_documents(mail: Path) -> Sequence[Document]:
    """In their order, at least one. Raises `DeliveryRefused`, OSError."""
    descriptor = os.open(mail, os.O_RDONLY | os.O_CLOEXEC)
    try:
        done = await run_module(
            WORKER,
            [str(MOST_DOCUMENTS)],
            descriptor,
            seconds=PATIENCE,
            most_output=_MOST_OUTPUT,
        )
    except (WorkerTooSlow, WorkerTooChatty) as error:
        log.warning("mail not made a fax", reason=type(error).__name__)
        raise DeliveryRefused("this mail cannot be made a fax") from error
    finally:
        os.close(descriptor)
    found = [doc for line in done.output.splitlines() if (doc := _document(line)) is not None]
    if done.code or not found:
        raise DeliveryRefused("in this mail is nothing that can be sent as a fax")
    return [_named(doc, place) for place, doc in enumerate(found[:MOST_DOCUMENTS], start=1)]


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
