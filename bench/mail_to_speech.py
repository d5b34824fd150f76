"""Mails read aloud: how soon the first words sound, and what a hostile mail costs.

    python -m bench.mail_to_speech [--rounds 5] [--megabytes 100] [--skip-hostile]

The peer is what a straightforward program does: parse the whole mail with the standard library,
strip the tags, and speak all of it in one piece by the same voice; in a process of its own, too, so
that its memory and time can be limited by the same figures (without a limit some mails need
gigabytes).
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from bench.heading import heading
from tests.corpus.hostile_mails import hostile_mails, large_mails
from vm_ari.adapters.mail_reader import WORKER, MailReader
from vm_ari.adapters.mail_reader_worker import MEMORY
from vm_ari.adapters.speech_synthesis import Synthesis, VoiceSettings
from vm_ari.services.mail_clips import clips

LANGUAGES = ("de", "en", "fr")
SENTENCE = "Hallo Anna, ich habe die Unterlagen gesehen und finde sie gut. Bitte ruf mich an."
AMBIGUOUS = "Treffen Montag Nachmittag Konferenzraum"
NO_LIMIT = 1_000_000
PEER = """
import email, re, resource, sys
from email import policy
memory = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
message = email.message_from_binary_file(sys.stdin.buffer, policy=policy.default)
str(message["subject"]), str(message["from"])
body = message.get_body(("plain", "html"))
text = body.get_content() if body else ""
print(re.sub(r"<[^>]*>", " ", text))
"""
PIPE = """
import subprocess, sys
command = [sys.executable, "-m", *sys.argv[1:]]
sys.stdout.buffer.write(subprocess.run(command, stdout=subprocess.PIPE).stdout)
"""
"""The worker may write to a pipe only."""


@dataclass(frozen=True)
class Cost:
    """What one mail took."""

    seconds: float
    cpu: float
    megabytes: float
    spoken: bool


async def _first_clip(mail: bytes) -> tuple[float, float]:
    """Seconds to the first clip, and to the last."""
    with tempfile.TemporaryDirectory() as cache:
        began, first = time.perf_counter(), 0.0
        voice = Synthesis(Path(cache), VoiceSettings())
        async with aclosing(clips(MailReader(patience=60).read(mail, LANGUAGES), voice)) as found:
            async for _ in found:
                first = first or time.perf_counter() - began
        return first, time.perf_counter() - began


async def _peer_first_clip(mail: bytes) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryFile() as file:
        file.write(mail)
        file.seek(0)
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PEER, str(8 << 30)), stdin=file, stdout=asyncio.subprocess.PIPE
        )
        text = (await process.communicate())[0].decode()
        voice = Synthesis(Path(cache), VoiceSettings(longest_text=NO_LIMIT))
        await voice.spoken(text, "de")
        seconds = time.perf_counter() - began
        return seconds, seconds


def _mails() -> Iterator[tuple[str, bytes]]:
    for name, text in (
        ("one sentence", SENTENCE),
        ("unclear language", AMBIGUOUS),
        ("20 paragraphs", f"{SENTENCE} {SENTENCE}\n\n" * 20),
    ):
        message = EmailMessage()
        message["From"], message["Subject"] = "Bert <bert@example.org>", "Unterlagen"
        message.set_content(text)
        yield name, message.as_bytes()


def _ordinary(rounds: int) -> None:
    print(
        f"{'seconds to':24}{'first clip':>12}{'all clips':>12}{'peer: first = all':>20}{'ratio':>8}"
    )
    for name, mail in _mails():
        ours, peers = [], []
        for _ in range(rounds):
            ours.append(asyncio.run(_first_clip(mail)))
            peers.append(asyncio.run(_peer_first_clip(mail))[0])
        first, whole = (statistics.median(times) for times in zip(*ours, strict=True))
        peer = statistics.median(peers)
        print(f"{name:24}{first:12.2f}{whole:12.2f}{peer:20.2f}{peer / first:8.1f}")


def _cost(arguments: list[str], path: Path, is_spoken: Callable[[bytes], bool]) -> Cost:
    """One process, and what the kernel says about it."""
    began = time.perf_counter()
    with (
        path.open("rb") as given,
        tempfile.TemporaryFile() as out,
        Path(os.devnull).open("wb") as nowhere,
    ):
        files = [(os.POSIX_SPAWN_DUP2, given.fileno(), 0), (os.POSIX_SPAWN_DUP2, out.fileno(), 1)]
        files.append((os.POSIX_SPAWN_DUP2, nowhere.fileno(), 2))  # the peer complains at length
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        child = os.posix_spawn(
            sys.executable, [sys.executable, *arguments], environment, file_actions=files
        )
        _, _, usage = os.wait4(child, 0)
        out.seek(0)
        seconds, cpu = time.perf_counter() - began, usage.ru_utime + usage.ru_stime
        return Cost(seconds, cpu, usage.ru_maxrss / 1024, is_spoken(out.read()))


def _ours(path: Path) -> Cost:
    return _cost(["-c", PIPE, WORKER, *LANGUAGES], path, lambda out: b'"end"' in out)


def _peer(path: Path) -> Cost:
    return _cost(["-c", PEER, str(MEMORY)], path, lambda out: bool(out.strip()))


def _hostile(megabytes: int) -> None:
    titles = f"{'count':>7}{'broken off':>12}{'slowest s':>11}{'CPU s':>7}{'largest MB':>12}"
    print(f"\n{'hostile mails':24}{titles}  slowest by CPU")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mail"
        for who, measure in (("vm_ari", _ours), ("peer", _peer)):
            costs = dict[str, Cost]()
            for name, portions in _all(megabytes):
                with path.open("wb") as file:
                    file.writelines(portions)
                costs[name] = measure(path)
            print(_row(who, costs))


def _row(who: str, costs: dict[str, Cost]) -> str:
    """The worst of them, and which mail it was."""
    slowest = max(costs, key=lambda name: costs[name].cpu)
    return (
        f"{who:24}{len(costs):7}{sum(not cost.spoken for cost in costs.values()):12}"
        f"{max(cost.seconds for cost in costs.values()):11.1f}{costs[slowest].cpu:7.1f}"
        f"{max(cost.megabytes for cost in costs.values()):12.0f}  {slowest}"
    )


def _all(megabytes: int) -> Iterator[tuple[str, Iterator[bytes]]]:
    for name, content in hostile_mails():
        yield name, iter([content])
    yield from large_mails(megabytes)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--skip-hostile", action="store_true")
    options = parser.parse_args()
    print(heading())
    _ordinary(options.rounds)
    if not options.skip_hostile:
        _hostile(options.megabytes)


if __name__ == "__main__":
    main()
