"""Whom callers can be connected to (XFER-04): the dialling rules are asked when it is stored."""

from vm_ari.domain.portal_rights import Feature
from vm_ari.domain.preferences import (
    OPERATOR,
    TRANSFER_OFFER,
    TRANSFER_SCREENING,
    TRANSFER_SECONDS,
    TRANSFERS,
)
from vm_ari.web.settings_page import SettingsPage

PAGES = (
    SettingsPage(
        "transfers",
        (*TRANSFERS.values(), TRANSFER_OFFER, TRANSFER_SECONDS, TRANSFER_SCREENING, OPERATOR),
        Feature.TRANSFERS,
        menu=30,
    ).page(),
)
