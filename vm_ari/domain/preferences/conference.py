"""Settings of a user's conference room (UM-04)."""

from vm_ari.domain import setting_forms as forms
from vm_ari.domain.conference_settings import Alone, Announcement, Begin, Recorded
from vm_ari.domain.preferences.setting import Setting

CONFERENCE_NUMBERS = Setting(
    "conference_numbers",
    forms.or_else(forms.NUMBERS, ()),
    (),
    "Which of the user's own numbers lead to the user's conference room.",
)
CONFERENCE_ANNOUNCEMENT = Setting(
    "conference_announcement",
    forms.choice(Announcement),
    Announcement.NAMES,
    "How a conference hears who comes and goes.",
)
CONFERENCE_ALONE = Setting(
    "conference_alone",
    forms.choice(Alone),
    Alone.MUSIC,
    "What somebody hears who is alone in the conference.",
)
CONFERENCE_BEGIN = Setting(
    "conference_begin",
    forms.choice(Begin),
    Begin.AT_ONCE,
    "Does a conference begin at once, or when the first moderator comes?",
)
CONFERENCE_RECORDED = Setting(
    "conference_recorded",
    forms.choice(Recorded),
    Recorded.ON_DEMAND,
    "Are conferences recorded, and mailed to the user?",
)
CONFERENCE_RECORDING_ANNOUNCED = Setting(
    "conference_recording_announced",
    forms.FLAG,
    True,
    "Is everybody told that the conference is recorded?",
)
CONFERENCE_PARTIES = Setting(
    "conference_parties",
    forms.whole_number(2, 200, "participants"),
    20,
    "How many people a conference may have.",
)
CONFERENCE_MINUTES = Setting(
    "conference_minutes",
    forms.whole_number(5, 1440, "minutes"),
    240,
    "How long a conference may last.",
)
