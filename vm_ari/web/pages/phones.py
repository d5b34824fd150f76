"""From which telephones the user may log in (LOGIN-06)."""

from vm_ari.domain.portal_rights import Feature
from vm_ari.domain.preferences import (
    LOGIN_FROM,
    LOGIN_MOBILE,
    LOGIN_NUMBERS,
    LOGIN_OFFICE,
    MOBILE,
)
from vm_ari.web.settings_page import SettingsPage

PAGES = (
    SettingsPage(
        "phones",
        (LOGIN_FROM, LOGIN_OFFICE, MOBILE, LOGIN_MOBILE, LOGIN_NUMBERS),
        Feature.PHONES,
        menu=60,
    ).page(),
)
