"""Turns one hostile mail into sentences, in a process of its own.

``python -m vm_ari.adapters.mail_reader_worker LANGUAGE… < MAIL``: a line of JSON per utterance,
and at last ``{"end": true}``; where that is missing, something went wrong on the way. The mail may
be made to break us: so the process is confined before it looks at the first byte.
"""

import json
import mmap
import os
import sys

from vm_ari.adapters.confinement import confine

MEMORY = 640 << 20
"""Bytes of address space: the libraries take 300 MB, a mail is mapped, not read."""
CPU_SECONDS = 4


def main() -> None:
    """Read the file that is standard input."""
    confine(memory=MEMORY, cpu_seconds=CPU_SECONDS)
    from vm_ari.adapters.mail_parts import MOST_SCANNED
    from vm_ari.adapters.mail_reader_steps import utterances_of

    size = os.fstat(sys.stdin.fileno()).st_size
    whole = min(size, MOST_SCANNED + 1)  # one more byte tells that there is more
    try:
        # nothing cannot be mapped
        mail = mmap.mmap(sys.stdin.fileno(), whole, access=mmap.ACCESS_READ) if whole else b""
        for one in utterances_of(mail, sys.argv[1:]):
            _answer({"say": one.text, "language": one.language, "about": one.about.value})
    except (MemoryError, RecursionError) as error:
        sys.exit(type(error).__name__)
    _answer({"end": True})


def _answer(line: dict[str, object]) -> None:
    """At once: who hears the beginning does not wait for the rest."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
