"""What the owner of a conference room can decide about it (UM-04)."""

from enum import StrEnum


class Announcement(StrEnum):
    """How the others hear who comes and goes."""

    NAMES = "names"
    """Everybody says a name at the door; it is played to the others."""
    TONE = "tone"
    NOTHING = "nothing"


class Alone(StrEnum):
    """What somebody hears who is alone in the room."""

    MUSIC = "music"
    SENTENCE = "sentence"


class Begin(StrEnum):
    """When those who are there can hear each other."""

    AT_ONCE = "at-once"
    WITH_MODERATOR = "with-moderator"


class Recorded(StrEnum):
    """Whether a conference is recorded."""

    NEVER = "never"
    ON_DEMAND = "on-demand"
    """When a moderator starts it."""
    ALWAYS = "always"
