"""Mails that were made to do harm, and workers that break: the listener always hears something."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.adapters.test_mail_reader import ENGLISH, PATIENCE, written
from tests.corpus.hostile_mails import forged_voice_mails, hostile_mails, large_mails, mail
from vm_ari.adapters import mail_reader, mail_reader_worker, worker_process
from vm_ari.adapters.mail_reader import MailReader
from vm_ari.adapters.mail_reader_steps import LONGEST_SPOKEN, utterances_of
from vm_ari.adapters.mail_summary import summary_of
from vm_ari.adapters.speech_synthesis import speakable
from vm_ari.domain.mail_speech.utterances import LENGTH, About, Utterance

ALL = ("en", "de", "fr")
BROKEN = {"This e-mail cannot be read aloud.", "The rest of this e-mail cannot be read aloud."}
CORPUS = dict(hostile_mails())
SOURCE = Path(mail_reader.__file__).parents[2]


async def heard(
    content: bytes | Path, reader: MailReader | None = None, languages: Sequence[str] = ALL
) -> list[Utterance]:
    reader = reader or MailReader(patience=PATIENCE)
    return [one async for one in reader.read(content, languages)]


def read(content: bytes | Path, **how: float) -> list[Utterance]:
    return asyncio.run(heard(content, MailReader(**{"patience": PATIENCE, **how})))


def is_broken(utterances: Sequence[Utterance]) -> bool:
    return any(one.text in BROKEN for one in utterances if one.about is About.NOTICE)


def test_the_limits_of_a_worker_are_what_the_corpus_is_held_against() -> None:
    assert mail_reader_worker.CPU_SECONDS < mail_reader.PATIENCE == 5.0
    assert mail_reader_worker.MEMORY <= 640 << 20


@pytest.mark.parametrize("name", CORPUS)
def test_a_worker_keeps_its_promises_for_every_hostile_mail(name: str) -> None:
    """Without a process in between, which would keep what is wrong from the listener."""
    found = list(utterances_of(CORPUS[name], ALL))
    assert found
    for one in found:
        assert 0 < len(one.text) <= LENGTH
        assert speakable(one.text) == one.text
    assert sum(len(one.text) for one in found) < 2 * LONGEST_SPOKEN


@pytest.mark.slow
def test_every_hostile_mail_is_spoken_within_the_limits_of_time_and_memory() -> None:
    """The kernel keeps the limits: a worker that had passed one would have been broken off."""

    async def all_of_them() -> dict[str, list[Utterance]]:
        reader = MailReader(patience=10 * PATIENCE)
        found = await asyncio.gather(*(heard(content, reader) for content in CORPUS.values()))
        return dict(zip(CORPUS, found, strict=True))

    for name, utterances in asyncio.run(all_of_them()).items():
        assert utterances, name
        assert not is_broken(utterances), name
        for one in utterances:
            assert speakable(one.text) == one.text, name


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, _ in large_mails(0)])
def test_a_mail_of_100_megabytes_is_spoken_within_the_same_limits(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / "mail"
    with path.open("wb") as file:
        file.writelines(dict(large_mails(100))[name])
    assert path.stat().st_size > 95_000_000
    utterances = read(path)
    path.unlink()
    assert not is_broken(utterances)
    texts = " ".join(one.text for one in utterances if one.about is About.TEXT)
    match name:
        case "large-attachment" | "text-after-attachment":
            assert texts.startswith("Please call me back")
            assert utterances[-1].text == "With one attachment: large.bin."
        case "large-text":
            assert texts.startswith("All work and no play.")
            assert utterances[-1].text == "The e-mail is longer; the rest is not read aloud."


@pytest.mark.parametrize("name", [name for name, _ in forged_voice_mails()])
def test_a_forged_voice_mail_stays_a_mail_without_a_caller(name: str) -> None:
    content = CORPUS[name]
    summary = summary_of(content, [b"k" * 32])
    assert not summary.genuine
    assert summary.caller.number == ""
    assert summary.caller.name == "Eve"
    utterances = read(content)
    assert [one.text for one in utterances if one.about is About.SENDER] == ["Eve"]
    assert "Please call me back tomorrow" in utterances[2].text


def test_a_mail_that_takes_too_long_is_given_up() -> None:
    utterances = read(mail(ENGLISH.encode()), patience=0.001)
    assert [one.text for one in utterances] == ["This e-mail cannot be read aloud."]


def test_a_mail_that_is_gone_or_no_file_says_so(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "gone", tmp_path, tmp_path / "pipe"):
        assert [one.text for one in read(path)] == ["This e-mail cannot be read aloud."]


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a program in the place of the worker, as if a mail had taken it over."""

    def write(text: str) -> None:
        monkeypatch.setattr(worker_process, "_SOURCE", f"{tmp_path}:{SOURCE}")
        monkeypatch.setattr(mail_reader, "WORKER", "deed")
        (tmp_path / "deed.py").write_text(text)

    return write


FIRST = 'print(\'{"say": "Hello", "language": "en", "about": "text"}\', flush=True)\n'


@pytest.mark.parametrize(
    "end",
    [
        "raise SystemExit(1)",
        "import os; os.abort()",
        "import os; os.kill(os.getpid(), 9)",
        "x = 'x' * 100_000\nwhile True: print(x)",
        "print('{\"end\": tr')",
    ],
)
def test_what_a_worker_said_before_it_broke_is_kept(
    worker: Callable[[str], None], end: str
) -> None:
    worker(FIRST + end)
    assert [one.text for one in read(b"x")] == [
        "Hello",
        "The rest of this e-mail cannot be read aloud.",
    ]


def test_a_worker_that_hangs_after_its_first_words_is_given_up(
    worker: Callable[[str], None],
) -> None:
    worker(FIRST + "import time; time.sleep(1000)")
    utterances = read(b"x", patience=8.0)
    assert utterances[-1].text in BROKEN


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "null",
        "[" * 100_000,
        '{"say": 5, "language": "en", "about": "text"}',
        '{"say": "", "language": "en", "about": "text"}',
        '{"say": "x", "language": "../x", "about": "text"}',
        '{"say": "x", "language": ["en"], "about": "text"}',
        '{"say": "x", "language": "en", "about": "nonsense"}',
        '{"say": "x", "language": "en", "about": []}',
        '{"say": "a\\u0000b", "language": "en", "about": "text"}',
        '{"say": "a\\u202eb", "language": "en", "about": "text"}',
        '{"say": "' + "x" * 401 + '", "language": "en", "about": "text"}',
        '{"end": "yes"}',
    ],
)
def test_not_even_a_worker_is_trusted(worker: Callable[[str], None], line: str) -> None:
    worker(f"print({line!r})\n" + FIRST + "print('{\"end\": true}')")
    assert [one.text for one in read(b"x")] == ["Hello"]


def processes() -> Iterator[int]:
    """Our children that live."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == os.getpid() and state != "Z":
                yield int(path.parent.name)


def test_nothing_runs_on_for_a_listener_who_has_gone(worker: Callable[[str], None]) -> None:
    worker(FIRST + "import time; time.sleep(1000)")
    before = set(processes())

    async def listen() -> None:
        utterances = MailReader(patience=PATIENCE).read(b"x", ALL)
        assert (await anext(utterances)).text == "Hello"
        assert set(processes()) - before
        await utterances.aclose()

    asyncio.run(listen())
    limit = time.monotonic() + PATIENCE
    while set(processes()) - before and time.monotonic() < limit:
        time.sleep(0.05)
    assert set(processes()) <= before


def test_a_slow_listener_does_not_keep_the_worker(worker: Callable[[str], None]) -> None:
    worker(FIRST * 2000 + "print('{\"end\": true}')")
    before = set(processes())

    async def listen() -> int:
        utterances = MailReader(patience=PATIENCE).read(b"x", ALL)
        count = 1 if await anext(utterances) else 0
        while set(processes()) - before:
            await asyncio.sleep(0.05)
        async for _ in utterances:
            count += 1
        return count

    assert asyncio.run(asyncio.wait_for(listen(), PATIENCE)) == 2000


def test_the_languages_are_codes_and_nothing_else() -> None:
    content = written(ENGLISH).as_bytes()
    for languages in ((), ("../x", "--help"), ("en", "x" * 500)):
        assert {one.language for one in asyncio.run(heard(content, languages=languages))} == {"en"}
