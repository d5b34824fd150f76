"""Mails that anybody may have written become utterances, in a confined worker (INBOX-10).

The worker sees the raw mail; here only its clean lines arrive, and not even these are trusted.
"""

import asyncio
import json
import os
import re
import stat
import tempfile
import unicodedata
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

import structlog

from vm_ari.adapters.worker_process import WorkerTooChatty, WorkerTooSlow, lines_of_module
from vm_ari.domain.mail_speech.speaking import notice
from vm_ari.domain.mail_speech.utterances import LENGTH, About, Utterance

log = structlog.get_logger(__name__)

WORKER = "vm_ari.adapters.mail_reader_worker"
PATIENCE = 5.0
"""Seconds for one mail; what was said until then is kept."""
AT_ONCE = 2
"""So many mails are looked at at the same time; others wait."""
MOST_OUTPUT = 1_000_000
_LANGUAGE = re.compile(r"[a-z]{2,3}")


class MailReader:
    """Reads mails in confined worker processes, each in its own."""

    def __init__(self, *, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def read(
        self, mail: Path | bytes, languages: Sequence[str]
    ) -> AsyncGenerator[Utterance, None]:
        """What is said of a mail: sender, subject, text, notices; the first of it at once.

        *languages* are those that can be spoken, the listener's own first. Nothing is raised for a
        mail, whatever it holds, also when it is gone: then a notice says that it cannot be read.
        """
        spoken = tuple(code for code in languages if _LANGUAGE.fullmatch(code)) or ("en",)
        lines = asyncio.Queue[Utterance | None]()
        # a worker ends soon; the listener takes minutes
        work = asyncio.create_task(self._work(mail, spoken, lines))
        said = False
        try:
            while (one := await lines.get()) is not None:
                said |= one.about is About.TEXT
                yield one
            if not await work:
                for one in notice(spoken[0], "broken" if said else "unreadable"):
                    yield one
        finally:
            work.cancel()
            await asyncio.wait([work])

    async def _work(
        self, mail: Path | bytes, languages: Sequence[str], lines: asyncio.Queue[Utterance | None]
    ) -> bool:
        """Did the worker come to its end? All that it said is in *lines*, then None."""
        try:
            descriptor = await asyncio.to_thread(_opened, mail)
            try:
                async with self._turn:
                    return await self._listen(descriptor, languages, lines)
            finally:
                os.close(descriptor)
        except (WorkerTooSlow, WorkerTooChatty) as error:
            log.warning("mail not read", reason=type(error).__name__)
        except OSError as error:
            log.error("mail not read", reason=error.strerror or repr(error))
        finally:
            lines.put_nowait(None)
        return False

    async def _listen(
        self, descriptor: int, languages: Sequence[str], lines: asyncio.Queue[Utterance | None]
    ) -> bool:
        answers = lines_of_module(
            WORKER, languages, descriptor, seconds=self._patience, most_output=MOST_OUTPUT
        )
        async with aclosing(answers):
            async for line in answers:
                answer = _answer(line)
                if answer.get("end") is True:
                    return True
                if (one := _utterance(answer, languages)) is not None:
                    lines.put_nowait(one)
        log.warning("mail not read", reason="the worker crashed, or was stopped at a limit")
        return False


def _opened(mail: Path | bytes) -> int:
    """Only a regular file: anything else could make us wait for ever. Raises OSError."""
    if isinstance(mail, bytes):
        with tempfile.TemporaryFile() as file:
            file.write(mail)
            file.seek(0)
            return os.dup(file.fileno())
    descriptor = os.open(mail, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError("this is not a file")


def _answer(line: bytes) -> dict[str, object]:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _utterance(answer: dict[str, object], languages: Sequence[str]) -> Utterance | None:
    """What a worker says, if it is what an engine may be given."""
    text, language, about = (answer.get(name) for name in ("say", "language", "about"))
    if not isinstance(text, str) or not 0 < len(text) <= LENGTH or not isinstance(about, str):
        return None
    if any(unicodedata.category(sign)[0] == "C" for sign in text):
        return None
    if not isinstance(language, str) or language not in {*languages, "en"}:
        return None
    return Utterance(text, language, About(about)) if about in _ABOUTS else None


_ABOUTS = frozenset(about.value for about in About)
