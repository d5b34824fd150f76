"""Settings of how a user is told of new messages (NOTIFY-02)."""

from typing import Any

from vm_ari.domain import notice_forms as notices
from vm_ari.domain import setting_forms as forms
from vm_ari.domain.notifications import Channel, Topic
from vm_ari.domain.preferences.setting import Setting

NOTIFICATIONS = Setting(
    "notifications", forms.FLAG, True, "Announce new messages, by lamp or else?"
)
NOTIFY = {
    topic: Setting(
        f"notify_{topic.value}",
        notices.CHANNELS,
        (Channel.LAMP,) if topic is Topic.VOICE else (),
        f"How the user is told of new {topic.messages}.",
    )
    for topic in Topic
}
NOTIFY_FROM = {
    topic: Setting(
        f"notify_{topic.value}_from",
        notices.FROM,
        1,
        f"From how many new {topic.messages} on the user is told.",
    )
    for topic in Topic
}
NOTIFY_MAIL = Setting("notify_mail", notices.ADDRESS, "", "Where notices by mail go.")
LAMP_MAILBOX = Setting(
    "lamp_mailbox", notices.LAMP_MAILBOX, "", "Mailbox under which the telephone knows its lamp."
)
SMS_NUMBER = Setting("sms_number", notices.SMS_NUMBER, "", "Number that notices by SMS go to.")
SMS_SENDER = Setting("sms_sender", notices.SENDER, "", "Whom notices by SMS come from.")
NOTICE_PHONE = Setting(
    "notice_phone", notices.PHONE, "", "Telephone that is called about new messages."
)
NOTICE_CALLER = Setting(
    "notice_caller",
    notices.CALLER,
    "",
    "Number that telephones show with lamp and calls about new messages, to be called back.",
)
ABOUT_NOTICES: tuple[Setting[Any], ...] = (
    NOTIFICATIONS,
    *NOTIFY.values(),
    *NOTIFY_FROM.values(),
    NOTIFY_MAIL,
    LAMP_MAILBOX,
    SMS_NUMBER,
    SMS_SENDER,
    NOTICE_PHONE,
    NOTICE_CALLER,
)
"""Settings that a reset of notices takes back (NOTIFY-06)."""
