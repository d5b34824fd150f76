"""Makes the pages of a fax of hostile documents, in a process of its own.

``python -m vm_ari.adapters.fax_sheets_worker < FILE``. The file begins with a line of JSON:
``{"rows", "most", "head": [left, first, total] or null, "parts": [[media type, octets, pages to
leave out], …]}``; the documents follow, one behind the other. The answer is a line of JSON, with
``pages`` or ``why`` there are none, and then the TIFF.
"""

import json
import sys
from typing import TYPE_CHECKING

from vm_ari.adapters.confinement import confine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image

MEMORY = 1 << 30
CPU_SECONDS = 90


def main() -> None:
    """Read the file that is standard input."""
    confine(memory=MEMORY, cpu_seconds=CPU_SECONDS)
    from vm_ari.adapters.fax_sheets import Head, NoPages, as_fax, sheets

    source = sys.stdin.buffer
    job = json.loads(source.readline())
    parts = [(kind, source.read(size), skip) for kind, size, skip in job["parts"]]
    head = Head(*job["head"]) if job["head"] else None
    counted = _Counted()
    try:
        tiff = as_fax(counted.of(sheets(parts, job["rows"], job["most"], head)))
    except NoPages as error:
        _answer({"why": str(error)})
        return
    except (MemoryError, RecursionError):
        _answer({"why": "it takes too much memory"})
        return
    _answer({"pages": counted.pages} if counted.pages else {"why": "it has no pages"})
    sys.stdout.buffer.write(tiff)


class _Counted:
    def __init__(self) -> None:
        self.pages = 0

    def of(self, pages: "Iterator[Image]") -> "Iterator[Image]":
        """The same pages."""
        for page in pages:
            self.pages += 1
            yield page


def _answer(line: dict[str, object]) -> None:
    sys.stdout.buffer.write(json.dumps(line).encode() + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
