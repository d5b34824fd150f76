"""Who is told what became of things that users send by telephone (STORE-02, STORE-03)."""

from pathlib import Path

import pytest

from tests.adapters.sample_mail import text_of
from tests.adapters.sending_house import ANNA, CARLA, House, at
from vm_ari.domain.sending import Colleague, Correspondent
from vm_ari.domain.users import User

TO_BERT, GHOST = Colleague("bert"), Colleague("ghost")
DORA = Correspondent("dora@elsewhere.example")
GONE = User("gone", "Gone Away", "", ("+4930555199",), "gone@example.org")
ENDLESS, RECEIPTS = "per_day = 0\n", "receipts = true\n"


@pytest.mark.feature("STORE-02")
@pytest.mark.parametrize("recipient", [DORA, GHOST])
def test_the_default_recipient_is_told_of_what_an_unknown_sender_cannot_be_told(
    recipient: Correspondent | Colleague, tmp_path: Path
) -> None:
    async def story(house: House) -> None:
        await house.send(recipient, sender=GONE)
        [mail] = await house.told(CARLA)
        assert mail["Subject"] == "Not delivered: its sender is unknown"
        assert "gone" in text_of(mail)
        assert await house.told(GONE) == []
        assert len(await house.told(CARLA)) == 1  # not again
        assert len(house.lies("hold")) >= 1
        await house.send(GHOST)
        [own] = await house.told()
        assert "ghost" in own["Subject"]
        assert len(await house.told(CARLA)) == 1

    at(tmp_path, story, ENDLESS)


@pytest.mark.feature("STORE-03")
@pytest.mark.parametrize("wanted", [True, False])
def test_senders_get_a_receipt_for_each_recipient(wanted: bool, tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.send(TO_BERT, DORA)
        told = sorted(str(mail["Subject"]) for mail in await house.told(ANNA))
        if not wanted:
            assert told == []
            return
        assert told == [
            "Delivered: message to Bert Klein",
            "Delivered: message to dora@elsewhere.example",
        ]
        bodies = {str(mail["Subject"]): text_of(mail) for mail in await house.told(ANNA)}
        assert "lies in the recipient’s mailbox" in bodies[told[0]]
        assert "has left the house" in bodies[told[1]]

    at(tmp_path, story, RECEIPTS if wanted else "")


@pytest.mark.feature("STORE-03")
def test_a_site_without_information_mails_sends_no_receipts_but_what_went_wrong(
    tmp_path: Path,
) -> None:
    async def story(house: House) -> None:
        await house.send(TO_BERT, GHOST)
        [mail] = await house.told(ANNA)
        assert "ghost" in mail["Subject"]

    at(tmp_path, story, RECEIPTS, information=False)
