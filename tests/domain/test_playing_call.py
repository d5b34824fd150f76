"""What a call that plays a message knows, and on which telephones it asks for the PIN."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.access import LoginRules, Origin, Verdict, decide, decide_called
from vm_ari.domain.login_phones import ListedPhone, LoginFrom, PhoneLogin
from vm_ari.domain.numbers import Site
from vm_ari.domain.playing_call import BadPlayingCall, PlayingCall, arguments_for, wanted_in
from vm_ari.domain.preferences import Access
from vm_ari.domain.users import User

text = st.text(max_size=100)
RULES = LoginRules(sites=(Site("DE", "+4930555", 3),))
ANNA = User("anna", "Anna", "101", ("+4930555101",), "anna@site.example", mobile="+491701234567")


@given(text, text, text)
def test_a_playing_call_knows_its_message_whatever_it_is_called(a: str, b: str, c: str) -> None:
    wanted = PlayingCall(a, b, c)
    arguments = arguments_for(wanted)
    assert arguments.isascii()
    assert wanted_in(arguments.split(",")) == wanted


@pytest.mark.parametrize(
    "arguments",
    [[], ["play"], ["record", "", "", ""], ["play", "ä", "", ""], ["play", "x", "", ""],
     ["play", "", "", "", ""], ["play", "A" * 2000, "", ""], ["play", "/w==", "", ""]],
)  # fmt: skip
def test_strange_arguments_name_no_message(arguments: list[str]) -> None:
    with pytest.raises(BadPlayingCall):
        wanted_in(arguments)


@pytest.mark.feature_part("INBOX-14", "the PIN, but on the user's own telephone")
@pytest.mark.parametrize(
    ("phone", "verdict"),
    [
        ("101", Verdict.ADMIT),
        ("030 555-101", Verdict.ADMIT),
        ("+491701234567", Verdict.ADMIT),
        ("102", Verdict.ASK_PIN),
        ("+491701234568", Verdict.ASK_PIN),
        ("", Verdict.ASK_PIN),
        ("nonsense", Verdict.ASK_PIN),
    ],
)
def test_only_the_own_telephones_need_no_pin(phone: str, verdict: Verdict) -> None:
    assert decide_called(ANNA, phone, RULES) is verdict


@given(
    office=st.sampled_from(PhoneLogin),
    mobile=st.sampled_from(PhoneLogin),
    listed=st.sampled_from(PhoneLogin),
    login_from=st.sampled_from(LoginFrom),
    access=st.sampled_from(Access),
    phone=st.sampled_from(["101", "102", "+491701234567", "+498912345", ""]),
)
def test_it_is_never_laxer_than_a_login_but_on_the_own_telephone(
    office: PhoneLogin,
    mobile: PhoneLogin,
    listed: PhoneLogin,
    login_from: LoginFrom,
    access: Access,
    phone: str,
) -> None:
    user = replace(
        ANNA,
        login_office=office,
        login_mobile=mobile,
        login_numbers=(ListedPhone("+498912345", listed),),
        login_from=login_from,
        access=access,
    )
    called = decide_called(user, phone, RULES)
    login = decide(user, Origin(phone=phone), RULES).verdict
    if called is not login:
        assert (login, called) == (Verdict.ASK_PIN, Verdict.ADMIT)
        assert {"101": office, "+491701234567": mobile}[phone] is PhoneLogin.DEFAULT
        assert login_from is LoginFrom.ANYWHERE
