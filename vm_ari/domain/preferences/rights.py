"""Settings that say what a user may send, and who pays (UM-05)."""

from typing import Any

from vm_ari.domain import setting_forms as forms
from vm_ari.domain.preferences.setting import Setting
from vm_ari.domain.rights_settings import Priority, Scope

FAX_SCOPE = Setting(
    "fax_scope",
    forms.choice(Scope),
    Scope.INTERNATIONAL,
    "How far the user's faxes may go, where the dialling rules allow it.",
)
FAX_PER_DAY = Setting(
    "fax_per_day", forms.DAILY, 0, "How many faxes the user may send in a day; 0: no limit."
)
FAX_PAGES_PER_DAY = Setting(
    "fax_pages_per_day",
    forms.DAILY,
    0,
    "How many fax pages the user may send in a day; 0: no limit.",
)
FAX_MOST_PAGES = Setting(
    "fax_most_pages", forms.DAILY, 0, "How many pages a fax of the user may have; 0: as the site."
)
FAX_PRIORITY = Setting(
    "fax_priority",
    forms.choice(Priority),
    Priority.NORMAL,
    "Whose faxes go first where several wait for a line.",
)
SMS_SCOPE = Setting(
    "sms_scope",
    forms.choice(Scope),
    Scope.INTERNATIONAL,
    "How far the user's short messages may go, where the dialling rules allow it.",
)
SMS_PER_DAY = Setting(
    "sms_per_day", forms.DAILY, 0, "How many short messages a day there are; 0: no limit."
)
VOICE_SCOPE = Setting(
    "voice_scope",
    forms.choice(Scope),
    Scope.INTERNATIONAL,
    "How far calls may go that are made for the user: forwards of callers, call-backs.",
)
VOICE_PER_DAY = Setting(
    "voice_per_day",
    forms.DAILY,
    0,
    "How many calls to the outside are made for the user in a day; 0: no limit.",
)
SENDER_NUMBERS = Setting(
    "sender_numbers",
    forms.or_else(forms.SENDERS, (), "own", " (any of the user's own)"),
    (),
    "Which numbers faxes, calls and short messages of the user may come from.",
)
COST_CENTRE = Setting(
    "cost_centre",
    forms.or_else(forms.COST_CENTRE, ""),
    "",
    "Who pays: it stands on every entry of the user's journal.",
)
ABOUT_RIGHTS: tuple[Setting[Any], ...] = (
    FAX_SCOPE,
    FAX_PER_DAY,
    FAX_PAGES_PER_DAY,
    FAX_MOST_PAGES,
    FAX_PRIORITY,
    SMS_SCOPE,
    SMS_PER_DAY,
    VOICE_SCOPE,
    VOICE_PER_DAY,
    SENDER_NUMBERS,
    COST_CENTRE,
)
"""What only administrators change: no page of a user may have any of them (UM-05)."""
