"""Takes the fax out of one hostile mail, in a process of its own.

``python -m vm_ari.adapters.fax_attachment_worker < MAIL``: a line of JSON with ``type`` and
``size``, so many bytes, and a line with ``pages``. Nothing where there is no fax; without the last
line the pages could not be counted.
"""

import json
import mmap
import os
import sys

from vm_ari.adapters.confinement import confine

MEMORY = 640 << 20
CPU_SECONDS = 8


def main() -> None:
    """Read the file that is standard input."""
    confine(memory=MEMORY, cpu_seconds=CPU_SECONDS)
    from vm_ari.adapters.fax_attachment import fax_in, pages_of

    try:
        whole = os.fstat(sys.stdin.fileno()).st_size
        # nothing cannot be mapped
        mail = mmap.mmap(sys.stdin.fileno(), whole, access=mmap.ACCESS_READ) if whole else b""
        found = fax_in(mail)
        if found is None:
            return
        kind, content = found
        _answer(json.dumps({"type": kind, "size": len(content)}).encode() + b"\n" + content)
        _answer(json.dumps({"pages": pages_of(kind, content)}).encode() + b"\n")
    except (MemoryError, RecursionError) as error:
        sys.exit(type(error).__name__)


def _answer(piece: bytes) -> None:
    """At once: what comes later may never come."""
    sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
