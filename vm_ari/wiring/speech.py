"""Speech recognition, as configured: which engine it is, is decided here only."""

import asyncio
import shutil
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from vm_ari.adapters.transcript_jobs import FileTranscriptJobs
from vm_ari.adapters.transcription import Bounds, Engine, NoEngine, Transcription
from vm_ari.adapters.transcription_engines import Command, FasterWhisper, WhisperCpp
from vm_ari.config import Config
from vm_ari.ports import Courier, Directory, Notices
from vm_ari.services.transcripts import Transcripts

log = structlog.get_logger("vm_ari.transcripts")

DIRECTORY = "transcripts"
"""In the spool, so that the audio need not be copied."""
WORK = "transcripts-work"
"""Beside it: what engines write."""


@dataclass(frozen=True)
class Outlet:
    """How messages leave."""

    courier: Courier
    run: Callable[[], Coroutine[Any, Any, None]]
    """Runs as long as calls are served, or ends at once where nothing follows messages."""
    close: Callable[[], None]


def open_outlet(config: Config, courier: Courier, directory: Directory, notices: Notices) -> Outlet:
    """*courier* as it is, or with transcripts; an engine that is missing stops no message."""
    jobs = FileTranscriptJobs(config.spool.directory / DIRECTORY)
    work = config.spool.directory / WORK
    try:
        transcription = open_transcription(config, work)
    except NoEngine as error:
        log.error("voice messages are not written down", reason=str(error))
        transcription = None
    if transcription is None:
        return Outlet(courier, _nothing_follows, jobs.close)
    transcripts = Transcripts(
        courier,
        transcription,
        jobs,
        directory,
        notices,
        rules=config.transcription.rules(),
        site=config.rules().site,
    )

    async def run() -> None:
        await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)  # what a crash has left
        await transcripts.run()

    return Outlet(transcripts, run, jobs.close)


def open_transcription(config: Config, work: Path) -> Transcription | None:
    """None where it is off; *work* is for what engines write. Raises `NoEngine`."""
    table, engine = config.transcription, _engine(config)
    bounds = Bounds(float(table.patience_seconds), table.memory_megabytes, table.at_once)
    return Transcription(engine, work.absolute(), bounds) if engine else None


def _engine(config: Config) -> Engine | None:
    table = config.transcription
    model = (table.model or Path()).absolute()
    match table.engine:
        case "off":
            return None
        case "faster-whisper":
            return FasterWhisper(model, table.languages, table.threads)
        case "whisper.cpp":
            return WhisperCpp(model, table.program, table.languages, table.threads)
        case "command":
            return Command(table.command)


async def _nothing_follows() -> None:
    """Messages are all there is."""
