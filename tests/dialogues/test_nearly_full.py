"""Who logs in hears that the mailbox is nearly full, and then what is there (MAIL-08)."""

from dataclasses import replace

import pytest

from tests.dialogues.exchange import ANNA, Exchange, logged_in, message
from tests.phone import Phone
from vm_ari.dialogues.main_menu import what_is_there
from vm_ari.domain.messages import Counts
from vm_ari.domain.quota import Quota
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.ports import MailNotQueued
from vm_ari.services.quota import QuotaWarnings
from vm_ari.speech.catalogue import P


class Mails:
    """What users are told, or nothing: the disk is full."""

    def __init__(self) -> None:
        self.told: list[tuple[str, SystemMail, object]] = []
        self.broken = False

    async def tell(self, user: User, mail: SystemMail, values: object, *, occasion: str) -> None:
        if self.broken:
            raise MailNotQueued("no room")
        self.told.append((user.id, mail, values))


def site_with(quota: Quota, mails: Mails) -> Exchange:
    site = Exchange()
    site.put(message("a"))
    site.mailboxes.quotas[ANNA.id] = quota
    warnings = QuotaWarnings(site.mailboxes, mails, site.clock)
    site.desk = replace(site.desk, quotas=warnings)
    return site


def heard(site: Exchange) -> list[str]:
    async def caller(phone: Phone) -> None:
        await phone.hears(*what_is_there(Counts(new_voice=1)))
        phone.presses("#")
        await phone.hears(P.GOODBYE)

    return logged_in(site, caller).phone.heard_names()


@pytest.mark.feature_part("MAIL-08", "nearly full: said after the login")
@pytest.mark.parametrize("used", [90, 100, 120])
def test_nearly_full_is_said_before_what_is_there(used: int) -> None:
    mails = Mails()
    names = heard(site_with(Quota(used, 100), mails))
    assert names.index("en/mailbox-nearly-full") < names.index("en/you-have")
    values = {"percent": min(used, 100), "full": used >= 100}
    assert mails.told == [("anna", SystemMail.MAILBOX_FULL, values)]


def test_room_enough_needs_no_words() -> None:
    mails = Mails()
    assert "en/mailbox-nearly-full" not in heard(site_with(Quota(89, 100), mails))
    assert not mails.told


def test_a_mail_that_cannot_be_queued_changes_nothing_for_the_caller() -> None:
    mails = Mails()
    mails.broken = True
    assert "en/mailbox-nearly-full" in heard(site_with(Quota(95, 100), mails))
