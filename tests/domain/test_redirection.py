"""Whose mailbox a redirected call means, whatever its headers say."""

import base64
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.domain.telephone_sites import BERLIN, any_site, hostile
from vm_ari.domain.numbers import Site, normalise
from vm_ari.domain.redirection import (
    MOST_HOPS,
    Claims,
    Hop,
    Redirection,
    Source,
    claims_from,
    redirection,
)
from vm_ari.domain.redirection_headers import MOST_ENTRIES, diversions, history

COMMON = "500"
ANNA, BERT, OUTSIDE = "+4930555101", "+4930555102", "+4989123456"
DIVERSION, HISTORY = Source.DIVERSION, Source.HISTORY_INFO


def judged(claims: Claims, common: str = COMMON) -> Redirection:
    return redirection(claims, BERLIN, common)


def numbers(claims: Claims) -> list[str]:
    return [hop.number for hop in judged(claims).hops]


# --- Diversion (RFC 5806)


@pytest.mark.parametrize(
    ("line", "number", "reason"),
    [
        ("<sip:101@pbx>;reason=no-answer", ANNA, "no-answer"),
        ("<sip:101@pbx>", ANNA, ""),
        ("sip:101@pbx;reason=user-busy", ANNA, "user-busy"),
        ("<tel:+4930555101>;reason=unconditional;counter=1", ANNA, "unconditional"),
        ("<tel:101;phone-context=+4930555>", ANNA, ""),
        ("<sip:+4930555101;npdi@pbx;user=phone>;privacy=off", ANNA, ""),
        ("<sips:030555101@[2001:db8::1]:5061>", ANNA, ""),
        ("<SIP:%2B4930555101:secret@pbx>;Reason=DEFLECTION", ANNA, "deflection"),
        ('"Berg, Anna" <sip:101@pbx>;reason="no-answer"', ANNA, "no-answer"),
        ('"a \\" <sip:102@pbx>, " <sip:101@pbx>;privacy=full', ANNA, ""),
        ("Anna Berg <sip:101@pbx>;screen=yes", ANNA, ""),
        ('"smile :) (x" <sip:101@pbx>', ANNA, ""),
        ("  <sip:101@pbx>  ; reason = time-of-day ", ANNA, "time-of-day"),
        ("<sip:101@pbx>;reason=a b\x07", ANNA, ""),
        ("<sip:00498912345 6@pbx>", "+4989123456", ""),
        ('"Anna <sip:101@pbx>;reason=away', ANNA, "away"),
        ('"M\ufffdller" <sip:101@pbx>', ANNA, ""),
    ],
)
def test_a_diversion_names_the_mailbox(line: str, number: str, reason: str) -> None:
    found = judged(Claims(diversion=[line]))
    assert found == Redirection((Hop(number, DIVERSION, reason),), certain=True)


@pytest.mark.parametrize(
    "line",
    [
        "garbage",
        "<sip:anonymous@anonymous.invalid>;privacy=full",
        "<sip:pbx.example>",
        "<sip:101",
        "<<sip:101@pbx>>",
        "<mailto:101@pbx>",
        "<sip:101%00@pbx>",
        "<sip:*@pbx>",
        "<sip:*)(uid=*@pbx>",
        "<sip:" + "1" * 3000 + "@pbx>",
        "<sip:%25%31%30%31@pbx>",
        '"' + "x" * 5000 + '" <sip:101@pbx>',
        "\ufffd\u202e\U0001f600",
    ],
)
def test_a_diversion_that_names_nobody_still_tells_a_redirection(line: str) -> None:
    assert judged(Claims(diversion=[line])) == Redirection((), certain=True)


@pytest.mark.parametrize(
    "lines",
    [
        ["<sip:102@pbx>", "<sip:101@pbx>"],
        ["<sip:102@pbx>, <sip:101@pbx>"],
        ['"x, y" <sip:102@pbx;user=phone>;counter=2 ,, <sip:101@pbx>;counter=1,'],
        ["<sip:102@pbx>, <sip:101@pbx>", "rubbish"],
    ],
)
def test_the_original_called_party_comes_first(lines: list[str]) -> None:
    assert numbers(Claims(diversion=lines)) == [ANNA, BERT]


def test_the_common_number_never_means_itself() -> None:
    assert judged(Claims(diversion=["<sip:500@pbx>"])) == Redirection()
    assert numbers(Claims(diversion=["<sip:+4930555500@pbx>", "<sip:101@pbx>"])) == [ANNA]


# --- History-Info (RFC 7044)

HOME = "<sip:500@pbx;cause=408>;index=1.1"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["<sip:101@pbx>;index=1", HOME], "408"),
        (["<sip:101@pbx>;index=1, " + HOME], "408"),
        ([HOME + ",<sip:101@pbx>;index=1"], "408"),
        (["<sip:101@pbx?Reason=SIP%3Bcause%3D486%3Btext%3D%22Busy%22>;index=1", HOME], "486"),
        (["<sip:101@pbx?Privacy=history&Reason=Q.850%3Bcause%3D019>;index=1, " + HOME], "019"),
        (["<sip:101@pbx?Reason=SIP%3Bcause%3D302>;index=1"], "302"),
        (['"Anna, Berg" <sip:101@pbx>;index=1', "<sip:500@pbx>;index=1.1;mp=1"], ""),
    ],
)
def test_history_info_names_the_mailbox(lines: list[str], reason: str) -> None:
    found = judged(Claims(history_info=lines))
    assert found == Redirection((Hop(ANNA, HISTORY, reason),), certain=True)


def test_the_history_is_read_in_the_order_of_its_indexes() -> None:
    lines = [
        "<sip:500@pbx;cause=302>;index=1.10.1",
        "<sip:102@pbx;cause=486>;index=1.10",
        "<sip:101@pbx;cause=302>;index=1.9, <sip:103@pbx>;index=1",
    ]
    assert numbers(Claims(history_info=lines)) == ["+4930555103", ANNA, BERT]


@pytest.mark.parametrize(
    "lines",
    [
        ["<sip:500@pbx>;index=1"],
        ["<sip:+4930555500@provider>;index=1, <sip:500@pbx>;index=1.1;mp=1"],
        ["<sip:500@pbx>;index=1", "<sip:500@192.0.2.7>;index=1.1;rc=1"],
    ],
)
def test_a_direct_call_with_a_history_was_not_redirected(lines: list[str]) -> None:
    assert judged(Claims(history_info=lines)) == Redirection()


@pytest.mark.parametrize(
    "lines",
    [
        ["<sip:+498005550@provider>;index=1"],
        ["<sip:+498005550@provider>;index=1", "<sip:500@pbx>;index=1.1;rc=1"],
        ["<sip:+498005550@provider>;index=1, <sip:500@pbx;cause=380>;index=1.1;mp=1"],
    ],
)
def test_a_number_that_a_call_only_passed_is_tried_but_proves_nothing(lines: list[str]) -> None:
    found = judged(Claims(history_info=lines, network=("+498005550",)))
    assert [hop.number for hop in found.hops] == ["+498005550"]
    assert not found.certain


# --- who is believed


def test_the_dialplan_is_believed_before_all_others() -> None:
    claims = Claims("102", ("103",), ["<sip:101@pbx>"], ["<sip:104@pbx>;index=1", HOME])
    assert judged(claims) == Redirection((Hop(BERT, Source.DIALPLAN),), certain=True)
    assert numbers(replace(claims, dialplan="nobody"))[0] == ANNA


def test_then_come_diversion_history_and_the_network() -> None:
    claims = Claims(
        network=("104", "101"),
        diversion=["<sip:101@pbx>"],
        history_info=["<sip:102@pbx>;index=1", HOME],
    )
    found = judged(claims)
    assert [(hop.number, hop.source) for hop in found.hops] == [
        (ANNA, DIVERSION),
        (BERT, HISTORY),
        ("+4930555104", Source.NETWORK),
    ]


def test_the_network_alone_is_enough() -> None:
    assert judged(Claims(network=("101", "102"))) == Redirection(
        (Hop(ANNA, Source.NETWORK), Hop(BERT, Source.NETWORK)), certain=True
    )
    assert judged(Claims(network=("anonymous",))) == Redirection((), certain=True)
    assert judged(Claims()) == Redirection()


def test_while_nobody_can_be_asked_a_number_of_the_site_is_the_likeliest() -> None:
    claims = Claims(diversion=["<sip:101@pbx>", "<sip:+4989123456@provider>"])
    found = judged(claims)
    assert [hop.number for hop in found.hops] == [OUTSIDE, ANNA]
    assert found.likeliest(BERLIN) == found.hops[1]
    outside = judged(Claims(diversion=["<sip:+4989123456@provider>"]))
    assert outside.likeliest(BERLIN) == outside.hops[0]
    assert Redirection().likeliest(BERLIN) is None


def test_a_hop_tells_who_named_it() -> None:
    assert str(Hop(ANNA, DIVERSION, "no-answer")) == "Diversion header (no-answer)"
    assert str(Hop(ANNA, Source.DIALPLAN)) == "the dialplan"


# --- what the dialplan passes


def passed(*lines: str | bytes) -> str:
    """As ``[vm-ari-header]`` does it."""
    raw = [line if isinstance(line, bytes) else line.encode() for line in lines]
    return "".join(base64.b64encode(r.replace(b":", b"|")).decode() + "." for r in raw)


def test_what_the_dialplan_passes_is_read_back() -> None:
    arguments = ["", passed("101")[:-1], passed("102")[:-1], passed("<sip:1@a>", "b"), passed("c")]
    assert claims_from(arguments) == Claims("", ("101", "102"), ("<sip:1@a>", "b"), ("c",))
    assert claims_from([passed("7")[:-1]]).dialplan == "7"


@given(st.lists(st.one_of(st.text(max_size=80), st.binary(max_size=80).map(passed)), max_size=9))
def test_any_arguments_give_claims(arguments: list[str]) -> None:
    claims = claims_from(arguments)
    redirection(claims, BERLIN)
    texts = [claims.dialplan, *claims.network, *claims.diversion, *claims.history_info]
    assert all(isinstance(text, str) for text in texts)


def test_bytes_that_are_no_utf8_spoil_only_themselves() -> None:
    claims = claims_from(["", "", "", passed(b'"M\xfcller" <sip:101@pbx>')])
    assert numbers(claims) == [ANNA]


# --- hostile headers

signs = ("<", ">", '"', "\\", ",", ";", "?", "@", ":", "%", "=", ".", " ", "\r\n", "\0")
words = ("sip:", "tel:", "101", "102", "cause=", "index=", "1.1", "mp", "<sip:101@pbx>")
pieces = st.sampled_from((*signs, *words, "Reason=SIP%3Bcause%3D302"))
assembled = st.lists(pieces, max_size=60).map("".join)
headers = st.lists(st.one_of(hostile, assembled, st.text(max_size=200)), max_size=12)


@given(headers, headers, st.lists(hostile, max_size=2), any_site, st.sampled_from(["", COMMON]))
@example(['<sip:101@pbx>;"'], ["<>;index=" + "9" * 5000], ["\0"], BERLIN, "")
def test_hostile_headers_give_clean_numbers_or_none(
    diversion: Sequence[str], info: Sequence[str], network: Sequence[str], site: Site, common: str
) -> None:
    found = redirection(Claims("", network, diversion, info), site, common)
    assert len(found.hops) <= MOST_HOPS
    assert len({hop.number for hop in found.hops}) == len(found.hops)
    for hop in found.hops:
        assert hop.number.removeprefix("+").isdecimal()
        assert normalise(hop.number, site) == hop.number
        assert str(hop).isprintable()
        assert len(str(hop)) < 80


@given(headers)
def test_a_header_has_so_many_entries_at_most(lines: list[str]) -> None:
    assert len(diversions(lines)) <= MOST_ENTRIES
    assert len(history(lines)) == len(diversions(lines))


@given(assembled)
def test_garbage_below_a_good_header_line_does_not_hide_it(garbage: str) -> None:
    assert ANNA in numbers(Claims(diversion=["<sip:101@pbx>", garbage[:100]]))


@pytest.mark.parametrize(
    "line",
    ['"' * 4000, "<" * 4000, "\\" * 4000, '"\\' * 2000, "," * 4000, ";=" * 2000, "?%" * 2000],
)
def test_long_repetitions_are_read_in_no_time(line: str) -> None:
    for _ in range(20):  # quadratic work would take minutes
        judged(Claims(diversion=[line] * 20, history_info=[line] * 20))
