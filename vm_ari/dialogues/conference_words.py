"""What is said in conferences: to everybody in the room, and to one party about another."""

from vm_ari.domain.conference_settings import Announcement
from vm_ari.domain.conferences import Conference, Happening, HappeningKind, Party
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import UnknownLanguage, language
from vm_ari.speech.parts import Clip, Number, Recorded, Sentence

_SENTENCES = {
    HappeningKind.ALONE: P.CONFERENCE_ALONE,
    HappeningKind.BEGINS: P.CONFERENCE_BEGINS,
    HappeningKind.LOCKED: P.CONFERENCE_NOW_LOCKED,
    HappeningKind.OPENED: P.CONFERENCE_NOW_OPEN,
    HappeningKind.HUSHED: P.CONFERENCE_ALL_MUTED,
    HappeningKind.UNHUSHED: P.CONFERENCE_ALL_HEARD,
    HappeningKind.RECORDED: P.CONFERENCE_RECORDED,
    HappeningKind.NOT_RECORDED: P.CONFERENCE_NOT_RECORDED,
    HappeningKind.ENDS_SOON: P.CONFERENCE_ENDS_SOON,
}


def announced(conference: Conference, happening: Happening) -> Sentence:
    """What everybody in the room hears; nothing where the owner wants that."""
    match happening.kind:
        case HappeningKind.JOINED | HappeningKind.LEFT:
            return _coming_and_going(conference, happening)
        case kind:
            return (_SENTENCES[kind],)


def announced_clips(conference: Conference, happening: Happening) -> tuple[Clip, ...]:
    """The same in the room's language, as it is played."""
    try:
        spoken = language(conference.language)
    except UnknownLanguage:
        spoken = language("en")
    return tuple(spoken.clips(announced(conference, happening)))


def named(party: Party) -> Sentence:
    """As others hear of that party."""
    if party.name:
        return (Recorded(party.name),)
    return (P.CONFERENCE_PARTICIPANT, Number(party.number))


def _coming_and_going(conference: Conference, happening: Happening) -> Sentence:
    joined = happening.kind is HappeningKind.JOINED
    match conference.rules.announcement:
        case Announcement.NAMES if happening.party and happening.party.name:
            words = P.CONFERENCE_HAS_JOINED if joined else P.CONFERENCE_HAS_LEFT
            return (*named(happening.party), words)
        case Announcement.NOTHING:
            return ()
        case _:  # who has said no name is a tone
            return (P.TONE_JOINED if joined else P.TONE_LEFT,)
