"""Voice messages as text: in their mail if it is there in time, else in a mail that follows.

The message leaves first. Before it does, its recording is put aside with a note of what becomes of
it: *included* (the mail holds the transcript) or *owed* (it follows). So after a crash nobody gets
a transcript twice, and one that cannot be made any more is named in the log.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from traceback import extract_tb
from typing import Protocol

import structlog

from vm_ari.domain.callers import printable
from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.numbers import Site, readable
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.transcript_jobs import Fate, Job
from vm_ari.domain.transcripts import NotTranscribed, Transcript, TranscriptRules
from vm_ari.domain.users import User
from vm_ari.ports import (
    Courier,
    Directory,
    DirectoryUnavailable,
    MailNotQueued,
    Notices,
    SpoolFull,
)

log = structlog.get_logger("vm_ari.transcripts")

LOOK_AGAIN = 60.0
"""Seconds until a transcript is tried again that could not be mailed."""
KEPT = timedelta(hours=24)
"""So long a recording is put aside; a transcript that is owed for longer is given up."""
MOST_AT_WORK = 200
"""Transcripts in memory, made or waiting to be; more of them are made when these have gone."""


class Transcriber(Protocol):
    """Recognises speech."""

    async def transcribe(self, audio: Path, language: str) -> Transcript | None:
        """What is said in a WAV file, or None for nothing; takes its time.

        *language* is the likeliest. Raises `NotTranscribed`.
        """
        ...


class TranscriptJobs(Protocol):
    """Recordings put aside, on the disk. Every method raises `SpoolFull`."""

    async def put_aside(self, message: VoiceMessage) -> Path:
        """Durably, and harmless the second time; where the recording lies now."""
        ...

    async def note(self, message_id: str, fate: Fate, user_id: str) -> None:
        """Durably, of a message by the id of its facts."""
        ...

    async def fate(self, message_id: str) -> Fate | None:
        """What was noted; None for nothing."""
        ...

    async def owed(self) -> Sequence[Job]:
        """Oldest first."""
        ...

    async def erase(self, message_id: str) -> None:
        """It is done with; harmless if it is not there."""
        ...

    async def sweep(self, age: timedelta) -> Sequence[str]:
        """Erase what is older; the ids of those that were still owed."""
        ...


class Transcripts:
    """`ports.Courier` in front of another one, and the loop that mails what follows."""

    def __init__(
        self,
        courier: Courier,
        transcriber: Transcriber,
        jobs: TranscriptJobs,
        directory: Directory,
        notices: Notices,
        *,
        rules: TranscriptRules,
        site: Site,
    ) -> None:
        self._courier = courier
        self._transcriber = transcriber
        self._jobs = jobs
        self._directory = directory
        self._notices = notices
        self._rules = rules
        self._site = site
        self._at_work: dict[str, asyncio.Task[Transcript | None]] = {}
        self._following: dict[str, asyncio.Task[None]] = {}
        self._stir = asyncio.Event()

    # -- the courier

    async def deliver(self, message: VoiceMessage, user: User, *, plain: bool = False) -> None:
        """See `Courier`; nothing about transcripts keeps a message from leaving."""
        if not self._wanted(message, user):
            await self._courier.deliver(message, user, plain=plain)
            return
        transcript = None if plain else await self._in_time(message, user)
        if transcript is not None:
            await self._courier.deliver(replace(message, transcript=transcript), user, plain=plain)
            self._at_work.pop(message.facts.id, None)
        else:
            await self._courier.deliver(message, user, plain=plain)
            await self._owe(message, user)

    async def has(self, message: VoiceMessage, user: User) -> bool:
        """See `Courier`; what an earlier delivery still owes is not forgotten."""
        there = await self._courier.has(message, user)
        if there and self._wanted(message, user):
            try:
                if await self._jobs.fate(message.facts.id) is None:
                    await self._owe(message, user)
            except Exception as error:  # what is there is there
                _lost(message, _place(error))
        return there

    def _wanted(self, message: VoiceMessage, user: User) -> bool:
        return (
            message.is_voice
            and user.transcribe
            and 0 < message.seconds <= self._rules.longest_seconds
        )

    async def _in_time(self, message: VoiceMessage, user: User) -> Transcript | None:
        """The transcript, if it is there before the mail must leave and the note of it is kept.

        What users send to each other does not wait: those mails have other words.
        """
        if not self._rules.wait_seconds or message.facts.sending is not None:
            return None
        try:
            audio = await self._jobs.put_aside(message)
            work = self._work_on(message.facts.id, audio, user)
            await asyncio.wait([work], timeout=self._rules.wait_seconds)
            # at the end of the program the work is cancelled, and the message leaves at once
            transcript = work.result() if work.done() and not work.cancelled() else None
            if transcript is not None:
                await self._jobs.note(message.facts.id, Fate.INCLUDED, user.id)
        except (NotTranscribed, SpoolFull):
            return None  # whoever mails it later says so
        except Exception as error:  # whatever breaks here must not stop the message
            log.error("no transcript in the mail", call=message.facts.id, why=_place(error))
            return None
        return transcript

    async def _owe(self, message: VoiceMessage, user: User) -> None:
        try:
            await self._jobs.put_aside(message)
            await self._jobs.note(message.facts.id, Fate.OWED, user.id)
        except SpoolFull as error:
            _lost(message, str(error))
        except Exception as error:  # the message is there; whatever this is does not undo it
            _lost(message, _place(error))
        self._stir.set()

    # -- what follows

    async def run(self) -> None:
        """Mail what is owed, until cancelled; what was owed before a crash, too."""
        try:
            while True:
                self._stir.clear()
                await self._look()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_AGAIN):
                        await self._stir.wait()
        finally:
            for task in (*self._following.values(), *self._at_work.values()):
                task.cancel()

    async def _look(self) -> None:
        try:
            for call in await self._jobs.sweep(KEPT):
                log.error("transcript lost", call=call, reason="it could not be mailed for a day")
            for job in await self._jobs.owed():
                if len(self._following) < MOST_AT_WORK:
                    self._follow_up(job)
        except SpoolFull as error:
            log.error("transcripts that are owed cannot be read", reason=str(error))

    def _follow_up(self, job: Job) -> None:
        call = job.message.facts.id
        if call not in self._following:
            task = asyncio.create_task(self._follow(job), name=f"transcript {call}")
            self._following[call] = task
            task.add_done_callback(lambda _: self._following.pop(call, None))

    async def _follow(self, job: Job) -> None:
        """One mail; what can be tried again stays owed."""
        try:
            await self._mail(job)
        except (DirectoryUnavailable, MailNotQueued) as error:
            log.warning("transcript not mailed yet", call=job.message.facts.id, reason=str(error))
            return
        except NotTranscribed as error:
            _lost(job.message, str(error))
        except Exception as error:  # whatever breaks on this one must not stop the others
            _lost(job.message, _place(error))
        await self._done_with(job.message.facts.id)

    async def _mail(self, job: Job) -> None:
        facts = job.message.facts
        user = await self._directory.user_by_id(job.user_id)
        if user is None or not user.transcribe:
            return
        transcript = await self._work_on(facts.id, Path(job.message.audio), user)
        if transcript is None:
            log.info("nothing to transcribe", call=facts.id)
            return
        values = _values(job.message, transcript, self._site)
        await self._notices.tell(user, SystemMail.TRANSCRIPT, values, occasion=facts.message_id)
        log.info("transcript follows", call=facts.id, language=transcript.language)

    async def _done_with(self, call: str) -> None:
        self._at_work.pop(call, None)
        try:
            await self._jobs.erase(call)
        except SpoolFull as error:
            log.error("a recording cannot be erased", call=call, reason=str(error))

    def _work_on(self, call: str, audio: Path, user: User) -> "asyncio.Task[Transcript | None]":
        """The one attempt at this recording, under way or over."""
        if call not in self._at_work:
            self._forget_the_oldest()
            language = self._rules.language_for(user.language)
            task = asyncio.create_task(self._transcribed(audio, language), name=f"hearing {call}")
            task.add_done_callback(lambda task: task.cancelled() or task.exception())
            self._at_work[call] = task
        return self._at_work[call]

    async def _transcribed(self, audio: Path, language: str) -> Transcript | None:
        return await self._transcriber.transcribe(audio, language)

    def _forget_the_oldest(self) -> None:
        """Of messages that could not be delivered; the attempt is then made again."""
        if len(self._at_work) >= MOST_AT_WORK:
            over = (call for call, task in self._at_work.items() if task.done())
            self._at_work.pop(next(over, ""), None)


def _values(message: VoiceMessage, transcript: Transcript, site: Site) -> Mapping[str, object]:
    """What the templates of the mail know, see `adapters.system_mail`."""
    caller = message.facts.caller
    return {
        "caller_name": printable(caller.name),
        "caller_number": readable(caller.number, site) if caller.number else "",
        "when": message.facts.started,
        "transcript": transcript,
        "in_reply_to": message.facts.message_id,
    }


def _lost(message: VoiceMessage, reason: str) -> None:
    log.error("transcript lost", call=message.facts.id, reason=printable(reason, 200))


def _place(error: BaseException) -> str:
    """Kind and place of a fault: its text could hold what was said."""
    frames = extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + where
