"""Settings of receiving and sending faxes."""

from vm_ari.domain import setting_forms as forms
from vm_ari.domain.fax_settings import FaxCover, FaxReport
from vm_ari.domain.faxes import FaxFormat
from vm_ari.domain.preferences.setting import Setting

FAX_NUMBERS = Setting(
    "fax_numbers",
    forms.or_else(forms.NUMBERS, ()),
    (),
    "Which of the user's own numbers receive faxes instead of voice messages.",
)
FAX_ON_VOICE_NUMBER = Setting(
    "fax_on_voice_number",
    forms.FLAG,
    False,
    "Does a fax machine that calls one of the user's voice numbers get to send its fax?",
)
FAX_SENDER = Setting(
    "fax_sender",
    forms.or_else(forms.NUMBER, ""),
    "",
    "Which of the user's own numbers faxes come from; none: the first one for faxes.",
)
FAX_HEADLINE = Setting(
    "fax_headline",
    forms.matching(r"[^\x00-\x1f]{0,50}", "up to 50 characters"),
    "",
    "Whom the first line of each faxed page names; none: the user.",
)
FAX_REPORT = Setting(
    "fax_report",
    forms.choice(FaxReport),
    FaxReport.ALWAYS,
    "About which of the faxes that were sent the user gets a mail.",
)
FAX_COVER = Setting(
    "fax_cover", forms.choice(FaxCover), FaxCover.WITH_TEXT, "Which faxes begin with a cover page."
)
FAX_COVER_TEMPLATE = Setting(
    "fax_cover_template",
    forms.or_else(forms.matching(r"[a-z0-9][a-z0-9-]{0,30}", "a name such as sales"), ""),
    "",
    "Which cover page: NAME stands for the templates in fax-cover-NAME; none: the shipped one.",
)
FAX_FORMAT = Setting(
    "fax_format",
    forms.choice(FaxFormat),
    FaxFormat.PDF,
    "How the pages of a fax are mailed to the user.",
)
