"""Languages, time zone, and how greetings say the number (LANG-01, LANG-02)."""

from vm_ari.domain.portal_rights import Feature
from vm_ari.domain.preferences import GREETING_LANGUAGE, LANGUAGE, NUMBER_STYLE, TIME_ZONE
from vm_ari.web.settings_page import SettingsPage

PAGES = (
    SettingsPage(
        "languages",
        (LANGUAGE, TIME_ZONE, GREETING_LANGUAGE, NUMBER_STYLE),
        Feature.LANGUAGES,
        menu=70,
    ).page(),
)
