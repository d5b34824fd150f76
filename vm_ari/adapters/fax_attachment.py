"""The fax in a mail: which attachment it is, and how many pages it has; runs in a worker."""

import io
import warnings
from pathlib import PurePath

from vm_ari.adapters.mail_parts import Buffer, Part, body_of, parts_of

_BY_SUFFIX = {
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".pdf": "application/pdf",
    ".png": "image/png",
}
_PREFERRED = ("image/tiff", "image/tiff-fx", "application/pdf", "image/png")
"""Pictures may also be somebody's logo."""
_MOST_COUNTED = 1000
_PICTURES = ("TIFF", "PNG")


def fax_in(mail: Buffer) -> tuple[str, bytes] | None:
    """Media type and content of the attachment that is the fax; None where there is none."""
    found = [(kind, part) for part in parts_of(mail).attachments if (kind := _kind(part))]
    if not found:
        return None
    kind, part = min(found, key=lambda one: _PREFERRED.index(one[0]))
    return kind, body_of(mail, part)


def _kind(part: Part) -> str:
    """Some gateways say no more than application/octet-stream and a file's name."""
    if part.kind in _PREFERRED:
        return part.kind
    return _BY_SUFFIX.get(PurePath(part.file_name).suffix.lower(), "")


def pages_of(kind: str, content: bytes) -> int:
    """How many pages it has; 0 where nobody can tell."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is damaged
            return _pdf_pages(content) if kind == "application/pdf" else _frames(content)
    except (OSError, ValueError, SyntaxError, EOFError, ImportError):
        return 0


def _pdf_pages(content: bytes) -> int:
    import pypdfium2

    try:
        return len(pypdfium2.PdfDocument(content))
    except pypdfium2.PdfiumError:
        return 0


def _frames(content: bytes) -> int:
    """Without decoding any."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # nothing is decoded here
    with Image.open(io.BytesIO(content), formats=_PICTURES) as image:
        for number in range(1, _MOST_COUNTED):
            try:
                image.seek(number)
            except EOFError:
                return number
    return 0
