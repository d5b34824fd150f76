"""Runs another program, confined.

``python -m vm_ari.adapters.confined_program MEGABYTES SECONDS FILE_MEGABYTES PROGRAM ARGUMENT…``:
speech engines and decoders are large programs, often in C, that read somebody else's data; so
memory, CPU time and the files they may write have limits.
"""

import os
import sys

from vm_ari.adapters.confinement import confine


def main() -> None:
    """Become the program; its data come from a file or standard input."""
    memory, seconds, files, *command = sys.argv[1:]
    confine(memory=int(memory) << 20, cpu_seconds=int(seconds), largest_file=int(files) << 20)
    try:
        os.execvp(command[0], command)  # noqa: S606 - the command line is the admin's
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
