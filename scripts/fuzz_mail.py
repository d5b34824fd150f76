"""Looks for mails that break the reading of mails: atheris, guided by the code that is reached.

    python scripts/fuzz_mail.py [--seconds 600] [--found FOLDER] [--languages en,de,fr]

Seeds are the hostile mails of tests/corpus and ordinary ones. A find is written to FOLDER; mend the
fault, and keep the find in tests/corpus/finds. Needs ``pip install "vm-ari[fuzz]"``.
"""

import argparse
import sys
import tempfile
import time
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

with atheris.instrument_imports(include=["vm_ari"]):
    from tests.corpus.hostile_mails import hostile_mails, mail
    from vm_ari.adapters.fax_attachment import fax_in, pages_of
    from vm_ari.adapters.mail_reader_steps import LONGEST_SPOKEN, utterances_of
    from vm_ari.adapters.mail_reading import audio_attachment
    from vm_ari.adapters.mail_summary import LONGEST_SECONDS, summary_of
    from vm_ari.domain.mail_speech.utterances import LENGTH

LONGEST_MAIL = 4096
MOST_CPU_SECONDS = 4
MOST_SECONDS = 60
"""On a machine with much to do."""
MEGABYTES = 1500


class BrokenPromise(Exception):
    """An utterance that no engine should be given."""


KEYS = (b"k" * 32,)


def check(content: bytes, languages: Sequence[str]) -> None:
    """What the controller itself reads, and what its confined workers find."""
    check_summary(content)
    if fax := fax_in(content):
        pages_of(*fax)
    check_utterances(content, languages)


def check_summary(content: bytes) -> None:
    """A mail in a list: whatever it holds, no exception, no forged number, and clean words."""
    summary = summary_of(content, KEYS)
    audio_attachment(content)
    if summary.genuine:
        raise BrokenPromise("a signature was guessed")
    if not 0 <= summary.seconds <= LONGEST_SECONDS:
        raise BrokenPromise(f"{summary.seconds} seconds")
    if any(unicodedata.category(sign)[0] == "C" for sign in str(summary.caller)):
        raise BrokenPromise(f"control characters in {summary.caller!r}")


def check_utterances(content: bytes, languages: Sequence[str]) -> None:
    """Whatever a mail holds: clean and short utterances, not too many, without an exception."""
    characters, began = 0, time.process_time()
    for one in utterances_of(content, languages):
        characters += len(one.text)
        if not 0 < len(one.text) <= LENGTH:
            raise BrokenPromise(f"length {len(one.text)}")
        if any(unicodedata.category(sign)[0] == "C" for sign in one.text):
            raise BrokenPromise(f"control characters in {one.text!r}")
        if set("<>[]{}|\\") & set(one.text):
            raise BrokenPromise(f"markup in {one.text!r}")
    if time.process_time() - began > MOST_CPU_SECONDS:
        raise BrokenPromise("too slow")
    if characters > 3 * LONGEST_SPOKEN:
        raise BrokenPromise(f"{characters} characters")


def main() -> None:
    """Fuzz for a time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--found", type=Path, default=Path("fuzz-finds"))
    parser.add_argument("--languages", default="en,de,fr")
    options = parser.parse_args()
    languages = options.languages.split(",")
    options.found.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as seeds:
        for name, content in hostile_mails():
            (Path(seeds) / name).write_bytes(content[:LONGEST_MAIL])
        for kind in ("image/tiff", "application/pdf"):
            (Path(seeds) / kind.replace("/", "-")).write_bytes(mail(b"II*\0%PDF-1.4", kind))
        limits = [
            *(f"-max_total_time={options.seconds}", f"-timeout={MOST_SECONDS}"),
            *(f"-rss_limit_mb={MEGABYTES}", f"-max_len={LONGEST_MAIL}"),
            *(f"-artifact_prefix={options.found}/", seeds),
        ]
        atheris.Setup([sys.argv[0], *limits], lambda data: check(data, languages))
        check(mail(b"Bonjour"), languages)  # the model is loaded once
        began = time.monotonic()
        try:
            atheris.Fuzz()
        finally:
            print(f"fuzzed for {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
