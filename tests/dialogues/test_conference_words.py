"""What everybody in a conference hears, in each language and as the owner has decided."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vm_ari.config import shared_files
from vm_ari.dialogues.conference_words import announced, announced_clips, named
from vm_ari.domain.conference_settings import Announcement
from vm_ari.domain.conferences import (
    Conference,
    Happening,
    HappeningKind,
    Party,
    Role,
    RoomRules,
)
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import languages
from vm_ari.speech.parts import Clip, Number, Recorded

NOW = datetime(2026, 3, 4, 13, 35, tzinfo=UTC)
ROOM = Conference("c", "+4930555103", "anna", NOW)
SHY = Party("one", 3, Role.PARTICIPANT, NOW)
EVE = replace(SHY, name="/names/eve")
SOUNDS = shared_files() / "sounds"


@pytest.mark.parametrize("kind", HappeningKind)
@pytest.mark.parametrize("code", languages())
def test_there_are_sounds_for_everything_that_happens(kind: HappeningKind, code: str) -> None:
    clips = announced_clips(replace(ROOM, language=code), Happening(kind, EVE))
    assert clips
    for clip in clips:
        assert clip.absolute or (SOUNDS / f"{clip.name}.wav").is_file(), clip


def test_a_language_that_nobody_speaks_is_english() -> None:
    clips = announced_clips(replace(ROOM, language="xx"), Happening(HappeningKind.LOCKED))
    assert clips == (Clip("en/conference/now-locked"),)


@pytest.mark.parametrize(
    ("rule", "party", "joined", "left"),
    [
        (
            Announcement.NAMES,
            EVE,
            (Recorded("/names/eve"), P.CONFERENCE_HAS_JOINED),
            (Recorded("/names/eve"), P.CONFERENCE_HAS_LEFT),
        ),
        (Announcement.NAMES, SHY, (P.TONE_JOINED,), (P.TONE_LEFT,)),
        (Announcement.TONE, EVE, (P.TONE_JOINED,), (P.TONE_LEFT,)),
        (Announcement.NOTHING, EVE, (), ()),
    ],
)
def test_who_comes_and_goes_is_told_as_the_owner_wants(
    rule: Announcement, party: Party, joined: tuple[object, ...], left: tuple[object, ...]
) -> None:
    room = replace(ROOM, rules=RoomRules(rule))
    assert announced(room, Happening(HappeningKind.JOINED, party)) == joined
    assert announced(room, Happening(HappeningKind.LEFT, party)) == left


def test_who_has_said_no_name_has_a_number() -> None:
    assert named(SHY) == (P.CONFERENCE_PARTICIPANT, Number(3))
    assert named(EVE) == (Recorded(str(Path("/names/eve"))),)
