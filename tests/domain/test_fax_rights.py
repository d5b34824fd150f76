"""May this user send this fax there now? Asked in one place."""

import pytest

from vm_ari.domain.dialling import Allowed, DiallingRules, parse_rule
from vm_ari.domain.fax_orders import FaxLimits
from vm_ari.domain.fax_rights import FaxRights, may_send
from vm_ari.domain.numbers import Site
from vm_ari.domain.orders import NotAllowed
from vm_ari.domain.sending import Line, Telephone
from vm_ari.domain.sending_rules import SendingRules, telephone
from vm_ari.domain.users import User

SITE = Site(base_number="+4930555")
ANNA = User("anna", "Anna", "101", ("+4930555101",), "anna@example.org")
RULES = FaxRights(DiallingRules((parse_rule("deny +4989", SITE),)), FaxLimits(pages=5))


def test_an_ordinary_number_is_allowed_in_any_spelling() -> None:
    for number in ("+49301234567", "030 1234567", "0049 30 1234567"):
        judged = may_send(ANNA, number, 5, RULES, (SITE,))
        assert isinstance(judged, Allowed)
        assert judged.number == "+49301234567"


@pytest.mark.parametrize(
    ("number", "pages", "why"),
    [
        ("+4989123456", 1, "forbids it"),
        ("0900 123456", 1, "do not allow"),
        ("never", 1, "not a telephone number"),
        ("+49301234567", 6, "6 pages; 5 are possible"),
        ("+4930555101", 1, "number of the sender"),
    ],
)
def test_what_is_not_allowed_says_why(number: str, pages: int, why: str) -> None:
    judged = may_send(ANNA, number, pages, RULES, (SITE,))
    assert isinstance(judged, NotAllowed)
    assert why in judged.reason


def test_a_house_that_sends_faxes_itself_needs_no_gateway_for_them() -> None:
    own = SendingRules(own_faxes=True)
    assert telephone("030 1234567", Line.FAX, own, (SITE,)) == Telephone("+49301234567", Line.FAX)
    assert telephone("030 1234567", Line.VOICE, own, (SITE,)) is None
    assert telephone("030 1234567", Line.FAX, SendingRules(), (SITE,)) is None
