"""The spool's directories: every step of a message is one rename (ADR 0002). Blocking.

    fallback/*.wav                 recorded by the dialplan alone
    tmp/                           half made or half erased; emptied at start
    open/<id>/  facts.json take-1.wav …       the caller is (or was) talking
                original                      what a user answers or forwards
    new/<id>/   … attempt attempts.json       to be delivered
    done/<id>/ hold/<id>/ corrupt/            delivered, refused for good, unreadable

Raises OSError as the system does, `RecordingUnreadable` and `BadRecord`.
"""

import errno
import fcntl
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import structlog

from vm_ari.adapters import durable, spool_hurry
from vm_ari.adapters.audio import BadAudio, wav_seconds
from vm_ari.adapters.spool_records import (
    BadRecord,
    Kept,
    attempts_from_json,
    attempts_to_json,
    facts_from_json,
    facts_to_json,
)
from vm_ari.adapters.spool_takes import mend, ran_out_of_room, share, speech_of
from vm_ari.domain.delivery import Attempts, FallbackFile
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.domain.recording import Take
from vm_ari.ports import RecordingUnreadable, SpoolInUse, Whole

STATES = ("tmp", "open", "new", "done", "hold", "corrupt", "fallback")
FACTS, MARK, ATTEMPTS, LOCK = "facts.json", "attempt", "attempts.json", ".lock"
ORIGINAL, PART = "original", "audio.wav"
WAV_HEADER = 44
"""Bytes: a file that is not longer holds no audio."""

_SAFE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TAKE = re.compile(r"take-([0-9]{1,4})\.wav")

Waiting = tuple[VoiceMessage, Attempts, bool]

log = structlog.get_logger(__name__)


class SpoolTree:
    """The directories below *root*; no method is called for the same item twice at once."""

    def __init__(self, root: Path, *, min_free: int, mode: int) -> None:
        self.root = root
        self._min_free = min_free
        self._mode = mode
        self._lock: int | None = None
        self._known: dict[str, Waiting] = {}
        self._cut: set[tuple[str, int]] = set()

    # -- the whole

    def claim(self) -> None:
        """Make the directories, be their only user, sweep up what a crash left half made."""
        self.root.parent.mkdir(parents=True, exist_ok=True)
        for directory in (self.root, *(self.root / name for name in STATES)):
            durable.ensure_directory(directory, self._mode)
        durable.sync(self.root)
        self._take_lock()
        for leftover in (self.root / "tmp").iterdir():
            shutil.rmtree(leftover)
        for state in ("open", "new", "hold"):
            for half_written in (self.root / state).glob(f"*/*{durable.UNFINISHED}"):
                half_written.unlink()

    def _take_lock(self) -> None:
        lock = os.open(self.root / LOCK, os.O_RDWR | os.O_CREAT, durable.NEW_FILE_MODE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise SpoolInUse(f"another controller works on {self.root}") from error
        self._lock = lock

    def close(self) -> None:
        """Let another controller have it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def item(self, state: str, facts_id: str) -> Path:
        """Where an item lies in that state; refuses names that are not ours."""
        if not _SAFE_ID.fullmatch(facts_id):
            raise ValueError("not the id of a spool item")
        return self.root / state / facts_id

    def _take(self, state: str, facts_id: str, take: int) -> Path:
        return self.item(state, facts_id) / f"take-{take}.wav"

    # -- while the caller talks

    def begin(self, facts: CallFacts) -> None:
        """Facts on the disk, and room for what will be said; the second time, new facts only."""
        item = self.item("open", facts.id)
        if item.is_dir():
            durable.replace_file(item / FACTS, facts_to_json(facts))
            return
        free = shutil.disk_usage(self.root).free
        if free < self._min_free:
            raise OSError(errno.ENOSPC, f"only {free // 1_000_000} MB left", str(self.root))
        self._open(facts)

    def _open(self, facts: CallFacts) -> None:
        half_made = self.item("tmp", facts.id)
        shutil.rmtree(half_made, ignore_errors=True)
        durable.make_directory(half_made, self._mode)
        durable.write_file(half_made / FACTS, facts_to_json(facts))
        durable.sync(half_made)
        durable.move(half_made, self.item("open", facts.id))

    def attach(self, facts_id: str, source: Path) -> None:
        """A copy of *source*, whole or not at all."""
        target = self.item("open", facts_id) / ORIGINAL
        unfinished = target.with_name(ORIGINAL + durable.UNFINISHED)
        shutil.copyfile(source, unfinished)
        durable.sync(unfinished)
        durable.move(unfinished, target)

    def inspect(self, facts_id: str, take: int) -> Take | None:
        """Mend the header if Asterisk could not write it, and measure."""
        path = self._take("open", facts_id, take)
        if not path.is_file() or path.stat().st_size <= WAV_HEADER:
            return None
        try:
            if mend(path) or ran_out_of_room(path):
                self._cut.add((facts_id, take))
            seconds = wav_seconds(path)
        except BadAudio as error:
            raise RecordingUnreadable(str(error)) from error
        return Take(seconds, speech_of(path, seconds))

    def was_cut(self, facts_id: str, take: int) -> bool:
        """Has `inspect` found its end missing?"""
        return (facts_id, take) in self._cut

    def keep(self, facts: CallFacts, take: int | None, *, partial: bool) -> VoiceMessage:
        """All of it on the disk, then the one rename that makes it a message."""
        item = self.item("open", facts.id)
        kept = self._kept_take(facts, take, partial=partial) if take else _without_a_word(item)
        durable.replace_file(item / FACTS, facts_to_json(facts, kept))
        durable.move(item, self.item("new", facts.id))
        return self._message(facts, kept)

    def _kept_take(self, facts: CallFacts, take: int, *, partial: bool) -> Kept:
        audio = self._take("open", facts.id, take)
        try:
            cut = self.was_cut(facts.id, take)
            kept = Kept(audio.name, wav_seconds(audio), partial or cut)
        except (BadAudio, FileNotFoundError) as error:
            raise RecordingUnreadable(str(error)) from error
        durable.sync(audio)
        return kept

    def discard(self, facts_id: str) -> None:
        """Erase an open item; nothing to do if it is not there."""
        item = self.item("open", facts_id)
        if item.is_dir():
            durable.erase(item, self.root / "tmp")

    def unfinished(self, in_hand: Set[str]) -> list[tuple[CallFacts, list[int]]]:
        """Open items with their takes in order, but for those of these ids."""
        return [
            (record[0], sorted(_takes_in(item)))
            for item in self._items("open")
            if item.name not in in_hand and (record := self._record(item)) is not None
        ]

    def set_aside(self, facts: CallFacts, take: int, reason: str) -> None:
        """Move a take that cannot be read to ``corrupt/<id>/``, with its facts and the reason."""
        grave = self.item("corrupt", facts.id)
        durable.ensure_directory(grave, self._mode)
        durable.write_file(grave / FACTS, facts_to_json(facts))
        durable.write_file(grave / "reason.txt", reason.encode())
        durable.sync(grave.parent)
        durable.move(self._take("open", facts.id, take), grave / f"take-{take}.wav")

    # -- recorded by the dialplan

    def fallback_files(self) -> list[FallbackFile]:
        """Regular files in ``fallback/``, oldest first."""
        found = []
        for path in (self.root / "fallback").iterdir():
            if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
                state = path.stat()
                modified = datetime.fromtimestamp(state.st_mtime, UTC)
                found.append(FallbackFile(path.name, state.st_size, modified))
        return sorted(found, key=lambda file: (file.modified, file.name))

    def fallback_id(self, name: str) -> str:
        """The id under which that file is imported: always the same until it has been."""
        for repeat in count():
            digest = hashlib.sha256(os.fsencode(name) + b"/%d" % repeat).hexdigest()[:32]
            if not any(self.item(s, digest).exists() for s in ("new", "done", "hold", "corrupt")):
                return digest
        raise AssertionError("count() is endless")

    def import_fallback(self, name: str, facts: CallFacts) -> None:
        """Make it the first take of an open item; the rename of the audio is the commit."""
        if not self.item("open", facts.id).is_dir():
            self._open(facts)
        durable.move(self._fallback(name), self._take("open", facts.id, 1))

    def set_aside_fallback(self, name: str) -> None:
        """Move a file that tells nothing to ``corrupt/``."""
        target = f"{secrets.token_hex(4)}-{name}"[-250:]
        durable.move(self._fallback(name), self.root / "corrupt" / target)

    def _fallback(self, name: str) -> Path:
        if Path(name).name != name:
            raise ValueError("not the name of a file")
        return self.root / "fallback" / name

    # -- on its way

    def waiting(self) -> list[Waiting]:
        """Items in ``new/``, oldest call first; read once, then remembered."""
        known = {}
        for item in self._items("new"):
            if spool_hurry.taken(item):
                self._known.pop(item.name, None)
            entry = self._known.get(item.name) or self._load(item)
            if entry is not None:
                known[item.name] = entry
        self._known = known
        return sorted(known.values(), key=lambda entry: entry[0].facts.started)

    def _load(self, item: Path) -> Waiting | None:
        record = self._record(item)
        if record is None:
            return None
        facts, kept = record
        if kept is None or not (item / (kept.audio or ORIGINAL)).is_file():
            self._bury(item, "the audio is missing")
            return None
        return self._message(facts, kept), _history(item), (item / MARK).exists()

    def divide(self, message: VoiceMessage, parts: Sequence[CallFacts], whole: Whole) -> None:
        """A message of its own from each of *parts*; those that there are stay as they are."""
        audio = Path(whole.audio) if whole.audio else None
        kept = Kept(PART if audio else "", whole.seconds, message.partial)
        original = Path(message.original) if message.original and whole.with_original else None
        for part in parts:
            if not any(self.item(s, part.id).exists() for s in ("new", "done", "hold")):
                self._add_part(part, kept, {PART: audio, ORIGINAL: original})

    def _add_part(self, part: CallFacts, kept: Kept, files: Mapping[str, Path | None]) -> None:
        half_made = self.item("tmp", part.id)
        shutil.rmtree(half_made, ignore_errors=True)
        durable.make_directory(half_made, self._mode)
        for name, path in files.items():
            if path is not None:
                share(path, half_made / name)
        durable.write_file(half_made / FACTS, facts_to_json(part, kept))
        durable.sync(half_made)
        durable.move(half_made, self.item("new", part.id))

    def mark_attempt(self, message: VoiceMessage) -> None:
        """From here on somebody may have it already."""
        item = self.item("new", message.facts.id)
        durable.touch(item / MARK)
        durable.sync(item)
        self._remember(message, begun=True)

    def clear_attempt(self, message: VoiceMessage, attempts: Attempts) -> None:
        """The history first, so that a crash leaves the mark rather than nothing."""
        item = self.item("new", message.facts.id)
        self._remember(message, attempts=attempts)
        durable.replace_file(item / ATTEMPTS, attempts_to_json(attempts))
        (item / MARK).unlink(missing_ok=True)
        durable.sync(item)
        self._remember(message, begun=False)

    def done(self, message: VoiceMessage) -> None:
        """The mark goes after the rename: a crash between leaves nothing to be repeated."""
        done = self.item("done", message.facts.id)
        durable.move(self.item("new", message.facts.id), done)
        self._known.pop(message.facts.id, None)
        (done / MARK).unlink(missing_ok=True)

    def hold(self, message: VoiceMessage, attempts: Attempts) -> None:
        """Out of the queue, with its history; the attempt has ended, so its mark goes."""
        item, hold = self.item("new", message.facts.id), self.item("hold", message.facts.id)
        durable.replace_file(item / ATTEMPTS, attempts_to_json(attempts))
        durable.move(item, hold)
        (hold / MARK).unlink(missing_ok=True)
        self._known.pop(message.facts.id, None)

    def held(self) -> list[tuple[CallFacts, Attempts]]:
        """What waits for an admin."""
        return [
            (record[0], _history(item))
            for item in self._items("hold")
            if (record := self._record(item)) is not None
        ]

    def release(self, facts_id: str) -> None:
        """Try a held item again, at once."""
        item = self.item("hold", facts_id)
        history = replace(_history(item), not_before=None)
        durable.replace_file(item / ATTEMPTS, attempts_to_json(history))
        durable.move(item, self.item("new", facts_id))

    def sweep(self, delivered_before: datetime) -> None:
        """Erase what was delivered before that moment; an item's own time is its delivery's.

        A part stays until its whole is divided: it tells that it was delivered.
        """
        for item in self._items("done"):
            old = item.stat().st_mtime < delivered_before.timestamp()
            if old and not self._has_waiting_whole(item):
                durable.erase(item, self.root / "tmp")

    def _has_waiting_whole(self, item: Path) -> bool:
        record = self._record(item)
        sending = record[0].sending if record else None
        if sending is None or sending.is_whole:
            return False
        return self.item("new", sending.part_of).exists()

    # -- reading what is there

    def _items(self, state: str) -> Iterator[Path]:
        for item in sorted((self.root / state).iterdir()):
            if item.is_dir() and _SAFE_ID.fullmatch(item.name):
                yield item

    def _record(self, item: Path) -> tuple[CallFacts, Kept | None] | None:
        try:
            facts, kept = facts_from_json((item / FACTS).read_bytes())
            if facts.id != item.name:
                raise BadRecord("the facts are another item's")
        except (BadRecord, FileNotFoundError) as error:
            self._bury(item, str(error))
            return None
        return facts, kept

    def _bury(self, item: Path, reason: str) -> None:
        """Out of the way to ``corrupt/``, unless it has just gone on by itself."""
        if not item.is_dir():
            return
        log.error("spool item unreadable", call=item.name, reason=reason)
        durable.move(item, self.root / "corrupt" / f"{item.name}-{secrets.token_hex(4)}")

    def _message(self, facts: CallFacts, kept: Kept) -> VoiceMessage:
        item = self.item("new", facts.id)
        original = item / ORIGINAL
        return VoiceMessage(
            facts,
            str(item / kept.audio) if kept.audio else "",
            kept.seconds,
            kept.partial,
            original=str(original) if original.is_file() else "",
        )

    def _remember(
        self, message: VoiceMessage, *, attempts: Attempts | None = None, begun: bool | None = None
    ) -> None:
        _, old, was_begun = self._known.get(message.facts.id, (message, Attempts(), False))
        begun = was_begun if begun is None else begun
        self._known[message.facts.id] = (message, attempts or old, begun)


def _without_a_word(item: Path) -> Kept:
    if not (item / ORIGINAL).is_file():
        raise RecordingUnreadable("there is nothing to be forwarded")
    return Kept("", 0.0, partial=False)


def _takes_in(item: Path) -> Iterator[int]:
    for path in item.iterdir():
        if (match := _TAKE.fullmatch(path.name)) and path.is_file():
            yield int(match[1])


def _history(item: Path) -> Attempts:
    """The attempts so far; what cannot be read counts as one that failed."""
    try:
        return attempts_from_json((item / ATTEMPTS).read_bytes())
    except FileNotFoundError:
        return Attempts()
    except BadRecord as error:
        return Attempts(failed=1, last_error=str(error))
