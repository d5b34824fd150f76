"""Turns one hostile audio file into samples for callers, in a process of its own.

``python -m vm_ari.adapters.audio_intake_worker LONGEST SHORTEST < FILE``: one line of JSON, then
16-bit samples at 8 kHz and at 16 kHz on standard output. Decoders are C code, and a file may be
made to break them: so the process is confined before it looks at the first byte.
"""

import json
import sys

from vm_ari.adapters.confinement import confine


def main() -> None:
    """Read standard input, or say in the first line what is wrong with it."""
    confine()
    from vm_ari.adapters.audio_intake_steps import Flaw, Unusable, prepare

    longest, shortest = float(sys.argv[1]), float(sys.argv[2])
    try:
        narrow, wide = prepare(sys.stdin.fileno(), longest, shortest)
    except Unusable as error:
        _answer({"flaw": error.flaw.value})
    except MemoryError:
        _answer({"flaw": Flaw.TOO_LARGE.value})
    else:
        _answer({"narrow": len(narrow), "wide": len(wide)}, narrow + wide)


def _answer(head: dict[str, object], samples: bytes = b"") -> None:
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + samples)


if __name__ == "__main__":
    main()
