"""Settings of how calls are answered: profiles, hours, greetings, transfers, missed calls."""

from vm_ari.domain import setting_forms as forms
from vm_ari.domain.greetings import GreetingType
from vm_ari.domain.language import LanguageMode
from vm_ari.domain.office_hours import ALWAYS_OPEN
from vm_ari.domain.preferences.setting import Setting
from vm_ari.domain.profiles import ProfileName, TransferOffer


def _of_profile(key: str, profile: ProfileName) -> str:
    return f"{key}_{profile.value.replace('-', '_')}"


PROFILE = Setting("profile", forms.PROFILE, ProfileName.WORK, "The profile that is active.")
PROFILE_UNTIL = Setting(
    "profile_until",
    forms.or_nothing(forms.END),
    None,
    "Last day or end of the active profile, in the user's time; profile_after comes then.",
)
PROFILE_AFTER = Setting(
    "profile_after", forms.PROFILE, ProfileName.WORK, "The profile after profile_until."
)
OFFICE_HOURS = Setting(
    "office_hours", forms.HOURS, ALWAYS_OPEN, "Working time and breaks; periods may pass midnight."
)
OFF_HOURS_PROFILE = Setting(
    "off_hours_profile",
    forms.or_nothing(forms.PROFILE),
    None,
    "Profile outside office hours and on holidays, but not while vacation is active.",
)
BREAK_PROFILE = Setting(
    "break_profile", forms.or_nothing(forms.PROFILE), None, "Profile during breaks."
)
HOLIDAY_REGION = Setting(
    "holiday_region", forms.or_else(forms.REGION, ""), "", "Whose public holidays are days off."
)
HOLIDAYS = Setting("holidays", forms.or_else(forms.HOLIDAYS, ()), (), "Further days off.")
GREETING_TYPE = Setting(
    "greeting_type",
    forms.choice(GreetingType),
    GreetingType.INDIVIDUAL,
    "Does the user's own recording play, or a sentence with the recorded name?",
)
GREETING_LANGUAGE = Setting(
    "greeting_language",
    forms.choice(LanguageMode),
    LanguageMode.FIXED,
    "Who decides about the greeting's language: nobody, the caller's country, or the caller?",
)
TRANSFER_OFFER = Setting(
    "transfer_offer",
    forms.choice(TransferOffer),
    TransferOffer.USER,
    "Who tells callers about the transfer: the user's recording, or a sentence after it?",
)
TRANSFER_SECONDS = Setting(
    "transfer_seconds",
    forms.whole_number(5, 120, "seconds"),
    25,
    "How long the destination of a transfer rings.",
)
TRANSFER_SCREENING = Setting(
    "transfer_screening", forms.FLAG, False, "Must the destination accept a transfer with a key?"
)
TRANSCRIBE = Setting(
    "transcribe", forms.FLAG, True, "Write voice messages down, where the site has that?"
)
MISSED_CALLS = Setting(
    "missed_calls",
    forms.FLAG,
    True,
    "Does the user get mails about missed calls, where the site sends them?",
)
MISSED_CALLS_JOURNAL = Setting(
    "missed_calls_journal", forms.FLAG, True, "Are missed calls listed in the user's journal?"
)
NAMING_PROFILES = (PROFILE, PROFILE_AFTER, OFF_HOURS_PROFILE, BREAK_PROFILE)
"""Settings that can only name a profile that the site offers."""
OPERATOR = Setting(
    "operator", forms.or_else(forms.NUMBER, ""), "", "Number that the operator key leads to."
)
TRANSFERS = {
    profile: Setting(
        _of_profile("transfer", profile),
        forms.or_else(forms.NUMBER, ""),
        "",
        f"Whom callers can be connected to in profile {profile.value}.",
    )
    for profile in ProfileName
}
TAKES_MESSAGES_IN = {
    profile: Setting(
        _of_profile("takes_messages", profile),
        forms.or_nothing(forms.FLAG, "same", " (as takes_messages)"),
        None,
        f"May callers leave a message in profile {profile.value}?",
    )
    for profile in ProfileName
}
