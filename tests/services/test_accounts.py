"""Whose mailbox a number is, in a house with several sites (SITE-01)."""

import asyncio
from dataclasses import replace

import pytest

from tests.dialogues.exchange import ANNA, BERT
from tests.domain.telephone_sites import BERLIN, GRAZ
from tests.fakes import FakeDirectory
from vm_ari.services.accounts import Accounts

IN_BERLIN = replace(ANNA, numbers=("+4930555101",), mailbox="101")
IN_GRAZ = replace(BERT, numbers=("+43316877202",), mailbox="202")
BOTH = replace(BERT, id="both", numbers=("+43316877101",), mailbox="9")


@pytest.mark.feature_part("SITE-01", "an extension of any site names its mailbox")
@pytest.mark.parametrize(
    ("dialled", "owner"),
    [
        ("101", IN_BERLIN),
        ("202", IN_GRAZ),
        ("+43316877101", BOTH),
        ("+43 316 877-202", IN_GRAZ),
        ("303", None),
        ("no number", None),
        ("", None),
    ],
)
def test_an_extension_is_one_of_the_main_site_or_else_of_another(
    dialled: str, owner: object
) -> None:
    directory = FakeDirectory(IN_BERLIN, IN_GRAZ, BOTH, pin="246813")
    accounts = Accounts(directory, (BERLIN, GRAZ))
    assert asyncio.run(accounts.owner_of(dialled)) == owner
