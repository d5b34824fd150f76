"""What users forward by telephone as a fax becomes an order, where the house sends faxes itself."""

import base64
from pathlib import Path

import pytest

from tests import faxes
from tests.adapters.sample_mail import text_of
from tests.adapters.sending_house import ANNA, House, at
from vm_ari.domain.fax_orders import FaxState
from vm_ari.domain.messages import MessageKind
from vm_ari.domain.orders import Way
from vm_ari.domain.sending import Errand, Line, Telephone

OWN = "[fax_sending]\nenabled = true\n"
MACHINE = Telephone("+493012345678", Line.FAX)
LETTER = b"From: Dora <dora@elsewhere.example>\r\nSubject: Offer\r\n\r\nHello Anna\r\n"


def fax_mail() -> bytes:
    """As a fax came in."""
    body = faxes.tiff([faxes.page(("An offer",))])
    return (
        b"From: fax@gateway.example\r\nMessage-Context: fax-message\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: image/tiff\r\nContent-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="fax.tif"\r\n\r\n' + base64.encodebytes(body)
    )


@pytest.mark.feature_part("INBOX-08", "an e-mail becomes a fax of this house, once")
@pytest.mark.parametrize("by_mail", [True, False])
def test_a_mail_is_ordered_as_a_fax_and_no_gateway_is_asked(tmp_path: Path, by_mail: bool) -> None:
    async def story(house: House) -> None:
        house.receive(ANNA, LETTER)
        await house.about(Errand.FORWARD, MACHINE, kind=MessageKind.MAIL, words=False)
        assert house.faxes
        [order] = await house.faxes.of_user(ANNA.id)
        assert (order.number, order.way, order.state) == (
            MACHINE.number,
            Way.PHONE,
            FaxState.WAITING,
        )
        [paper] = await house.faxes.orders.papers(order.id)
        assert paper.media_type == "text/plain"
        assert b"Hello Anna" in paper.content
        assert not house.outside()

    at(tmp_path, story, OWN, by_mail=by_mail)


@pytest.mark.feature_part("INBOX-08", "a fax is forwarded as a fax")
def test_a_received_fax_goes_on_as_it_came(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.receive(ANNA, fax_mail())
        await house.about(Errand.FORWARD, MACHINE, kind=MessageKind.FAX)
        assert house.faxes
        [order] = await house.faxes.of_user(ANNA.id)
        [paper] = await house.faxes.orders.papers(order.id)
        assert paper.media_type == "image/tiff"

    at(tmp_path, story, OWN)


def test_a_number_that_faxes_may_not_go_to_is_told_to_the_sender(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.receive(ANNA, LETTER)
        await house.about(Errand.FORWARD, MACHINE, kind=MessageKind.MAIL)
        assert house.faxes
        assert not await house.faxes.of_user(ANNA.id)
        [told] = await house.told()
        assert "forbids it" in text_of(told)

    at(tmp_path, story, f'{OWN}rules = ["deny all"]\n')
