"""What cannot be meant of sending is refused, with the key and what to do."""

from pathlib import Path

import pytest

from tests.docs.test_config import configured
from vm_ari.config import BadConfig
from vm_ari.domain.dialling import Country, Prefix
from vm_ari.domain.number_addresses import NumberForm
from vm_ari.domain.sending import DistributionList
from vm_ari.domain.sending_rules import ForwardAs
from vm_ari.wiring.sending import sending_rules

LIST = '[[sending.lists]]\nnumber = "77"\nname = "Team"\nmembers = ["anna", "102"]\n'
SMTP = '[mail.smtp]\nhost = "mail.example.org"\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            'forward_as = "zip"',
            "sending.forward_as: “zip” does not fit; write one-audio or two-att",
        ),
        ('fax_address = "$(number)@x.org"', "sending.fax_address: there is no $(number)"),
        ('voice_address = "a b $(phonenumber)@x"', "sending.voice_address: “a b $(phonenumber)"),
        ('search_address = "x@example.org"', "sending.search_address: “x@example.org”: $(phonen"),
        ('number_form = "roman"', "sending.number_form: “roman” does not fit; write e164, digits"),
        ("most_recipients = 0", "sending.most_recipients"),
        ("adress = 1", "sending.adress: unknown key"),
        (LIST + LIST, "lists: two have the number 77; give one another"),
        (LIST.replace("77", "7a"), "sending.lists.0.number"),
        (LIST.replace("Team", "a\\tb"), "write up to 60 visible characters"),
        (LIST.replace('"anna", "102"', ""), "sending.lists.0.members"),
    ],
)
def test_what_cannot_be_meant_is_named_when_it_is_read(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(BadConfig) as caught:
        configured(tmp_path, "[sending]\n" + text)
    assert complaint in str(caught.value), caught.value


def test_a_rule_that_is_none_is_named(tmp_path: Path) -> None:
    config = configured(tmp_path, '[sending]\nrules = ["allow AT", "maybe"]')
    with pytest.raises(BadConfig, match="rule 2: “maybe” must begin with"):
        sending_rules(config)


def test_by_default_only_colleagues_are_reached(tmp_path: Path) -> None:
    rules = sending_rules(configured(tmp_path, '[dialling]\nrules = ["deny +49900"]'))
    assert (rules.outside, rules.voice_address, rules.lists) == (False, None, ())
    assert rules.forward_as is ForwardAs.ONE_AUDIO
    assert [rule.what for rule in rules.dialling.rules] == [Prefix("+49900")]


def test_everything_can_be_set(tmp_path: Path) -> None:
    text = (
        '[sending]\nforward_as = "two-attachments"\nnumber_form = "national"\n'
        'voice_address = "$(phonenumber)@voice.example.org"\nrules = ["allow AT"]\n'
    )
    rules = sending_rules(configured(tmp_path, SMTP + text + LIST))
    assert rules.outside
    assert rules.voice_address
    assert rules.voice_address.form is NumberForm.NATIONAL
    assert [rule.what for rule in rules.dialling.rules] == [Country("AT")]
    assert rules.lists == (DistributionList("77", "Team", ("anna", "102")),)
