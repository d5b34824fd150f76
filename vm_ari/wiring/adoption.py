"""A recording that lies around becomes a message: it is put where the dialplan puts its own.

The controller takes everything there, so what is adopted goes the way of every message: measured,
kept, delivered once.
"""

import os
import secrets
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vm_ari.adapters import durable
from vm_ari.adapters.audio import BadAudio, wav_seconds
from vm_ari.adapters.spool_records import BadRecord, facts_from_json
from vm_ari.adapters.spool_takes import mend
from vm_ari.adapters.spool_tree import FACTS
from vm_ari.config import Config
from vm_ari.domain.fallback_name import file_name, parse
from vm_ari.domain.numbers import normalise

LARGEST = 500_000_000
"""Bytes: more than an hour at 48 kHz is no message."""


class CannotAdopt(Exception):
    """The text says why, and what to do."""


@dataclass(frozen=True)
class _Call:
    called: str
    caller: str
    epoch: int


def adopt_file(config: Config, file: Path, number: str, caller: str) -> str:
    """What was done, in words. Blocks. Raises `CannotAdopt`."""
    target = config.spool.directory / "fallback"
    if not target.is_dir():
        raise CannotAdopt(f"there is no {target}; start the controller once")
    call = _call(config, file, number, caller)
    unfinished = target / f".{secrets.token_hex(8)}.adopting"
    try:
        if file.stat().st_size > LARGEST:
            raise CannotAdopt(f"it is larger than {LARGEST // 1_000_000} MB")
        shutil.copyfile(file, unfinished)
        seconds = _measured(unfinished)
        _give_to_owner(unfinished, target)
        durable.sync(unfinished)
        name = file_name(call.epoch, f"adopted.{secrets.token_hex(8)}", call.called, call.caller)
        durable.move(unfinished, target / name)
    except OSError as error:
        raise CannotAdopt(f"{error.strerror}: {error.filename}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return f"{seconds:.1f} s for {call.called}"


def _call(config: Config, file: Path, number: str, caller: str) -> _Call:
    """From the command, else from what lies beside the file or stands in its name."""
    site = config.rules().site
    known = _known(file)
    called = normalise(number, site) if number else known.called
    if not called:
        told = f"“{number}” is no telephone number" if number else "name the mailbox: --for NUMBER"
        raise CannotAdopt(told)
    from_whom = normalise(caller, site) if caller else known.caller
    if from_whom is None:
        raise CannotAdopt(f"“{caller}” is no telephone number")
    return _Call(called, from_whom, known.epoch)


def _known(file: Path) -> _Call:
    now = int(datetime.now(UTC).timestamp())
    try:
        facts, _ = facts_from_json((file.parent / FACTS).read_bytes())
        return _Call(facts.called, facts.caller.number, int(facts.started.timestamp()))
    except (OSError, BadRecord):
        pass
    try:
        name = parse(file.name.partition("-")[2] or file.name)  # corrupt/ has its own beginning
        return _Call(name.called, name.caller_number, name.epoch)
    except ValueError:
        return _Call("", "", now)


def _measured(file: Path) -> float:
    """Seconds of it; a header that Asterisk could not write is mended in the copy."""
    try:
        mend(file)
        return wav_seconds(file)
    except BadAudio as error:
        advice = "convert it: sox IN -r 8000 -c 1 -b 16 OUT.wav"
        raise CannotAdopt(f"{error}; {advice}") from None


def _give_to_owner(file: Path, directory: Path) -> None:
    """What root has copied must be readable for the controller."""
    about = directory.stat()
    file.chmod(durable.NEW_FILE_MODE)
    if os.geteuid() == 0:
        os.chown(file, about.st_uid, about.st_gid)
