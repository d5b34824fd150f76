"""How the user is told of new messages and missed calls (NOTIFY-03)."""

from vm_ari.domain.notifications import Topic
from vm_ari.domain.portal_rights import Feature
from vm_ari.domain.preferences import (
    FAX_FORMAT,
    MISSED_CALLS,
    MISSED_CALLS_JOURNAL,
    NOTICE_PHONE,
    NOTIFICATIONS,
    NOTIFY,
    NOTIFY_FROM,
    NOTIFY_MAIL,
    SMS_NUMBER,
    TRANSCRIBE,
)
from vm_ari.web.settings_page import SettingsPage

_OF_TOPICS = tuple(one for topic in Topic for one in (NOTIFY[topic], NOTIFY_FROM[topic]))

PAGES = (
    SettingsPage(
        "notifications",
        (
            *(NOTIFICATIONS, *_OF_TOPICS, NOTIFY_MAIL, SMS_NUMBER, NOTICE_PHONE),
            *(MISSED_CALLS, MISSED_CALLS_JOURNAL, TRANSCRIBE, FAX_FORMAT),
        ),
        Feature.NOTIFICATIONS,
        menu=50,
    ).page(),
)
