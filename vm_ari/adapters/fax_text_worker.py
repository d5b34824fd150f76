"""Recognises the pages of one hostile fax, in a process of its own.

``python -m vm_ari.adapters.fax_text_worker LANGUAGES MOST_PAGES < FILE``: a line of JSON for each
page, ``{"page": text}`` or null for one that cannot be read, and at last ``{"end": reason}`` with
``whole``, ``more`` (pages than we look at) or ``unreadable``. The fax may be made to break
decoders in C: so the process, and the recogniser that it starts, are confined before.
"""

import json
import sys

from vm_ari.adapters.confinement import confine

MEMORY = 768 << 20
"""Bytes of address space; the recogniser has as much once more."""
CPU_SECONDS = 40
"""For decoding; and the same for each page that is recognised."""


def main() -> None:
    """Read the file that is standard input."""
    confine(memory=MEMORY, cpu_seconds=CPU_SECONDS)
    from vm_ari.adapters.fax_pages import NoFax, images
    from vm_ari.adapters.fax_recognition import recognised

    languages, most = sys.argv[1], int(sys.argv[2])
    try:
        for number, image in enumerate(images(sys.stdin.buffer)):
            if number == most:
                _answer({"end": "more"})
                return
            _answer({"page": None if image is None else recognised(image, languages)})
    except (NoFax, MemoryError, RecursionError):
        _answer({"end": "unreadable"})
    else:
        _answer({"end": "whole"})


def _answer(line: dict[str, object]) -> None:
    """At once: who hears the first page does not wait for the last."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
