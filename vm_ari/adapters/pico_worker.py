"""One utterance of SVOX Pico: text on standard input, 16-bit 16 kHz samples on standard output.

A process of its own (``python -m vm_ari.adapters.pico_worker de-DE``), because the library leaks
what it returns and is C code that nobody maintains: whatever happens, it ends with the process.
Every utterance starts from a fresh engine, so the same text always gives the same samples.
"""

import importlib
import sys


def main() -> None:
    """Speak what comes in, in the voice named by the first argument."""
    engine = importlib.import_module("ttspico").TtsEngine(sys.argv[1])
    sys.stdout.buffer.write(engine.speak(sys.stdin.buffer.read().decode()))


if __name__ == "__main__":
    main()
