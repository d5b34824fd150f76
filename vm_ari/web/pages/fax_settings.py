"""What a user decides about the faxes that leave in his name (UM-04)."""

from dataclasses import replace

from vm_ari.domain.portal_rights import Feature
from vm_ari.domain.preferences import FAX_COVER, FAX_HEADLINE, FAX_REPORT, FAX_SENDER
from vm_ari.web.fax_parts import is_offered
from vm_ari.web.settings_page import SettingsPage

SETTINGS = SettingsPage(
    "fax-settings", (FAX_REPORT, FAX_COVER, FAX_SENDER, FAX_HEADLINE), Feature.FAXES, menu=0
)
PAGES = (replace(SETTINGS.page(), offered=is_offered),)
