"""Sites and numbers that the tests of numbers and dialling rules share."""

import phonenumbers
from hypothesis import strategies as st

from vm_ari.domain.numbers import Site

BERLIN = Site("DE", "+4930555", 4, area="30", outside_prefix="0", name="Berlin")
OPEN = Site("DE", "+4930555", name="no outside line, no area")
BARE = Site("DE", name="internal numbers only")
GRAZ = Site("AT", "+43316877", 4, area="316", outside_prefix="0", name="Graz")
BOSTON = Site("US", "+1617555", 4, 4, area="617", outside_prefix="9", name="Boston")
ROME = Site("IT", "+3906123", 4, outside_prefix="0", name="Rome")
LONDON = Site("GB", "+44207946", 4, area="20", outside_prefix="9", name="London")
SITES = (BERLIN, OPEN, BARE, GRAZ, BOSTON, ROME, LONDON)

any_site = st.sampled_from(SITES)
digit_strings = st.text("0123456789", min_size=1, max_size=16)
typed = st.text("0123456789+()/-. \u00a0", max_size=24)
hostile = st.one_of(
    st.text(max_size=60),
    typed,
    st.text("0123456789", min_size=60, max_size=3000),
    st.sampled_from(
        [
            "*)(uid=*",
            "\0",
            "+49\r\n30",
            "tel:" + ";" * 90,
            "tel:;phone-context=+",
            "+" * 40,
            "(((",
            "/",
        ]
    ),
)


@st.composite
def real_numbers(draw: st.DrawFn) -> str:
    """E.164 numbers that the numbering plans know, of many kinds and countries."""
    region = draw(st.sampled_from(["DE", "AT", "CH", "FR", "GB", "IT", "US", "NL", "PL", "GR"]))
    kind = draw(st.sampled_from([0, 1, 2, 3, 4]))
    sample = phonenumbers.example_number_for_type(region, kind)
    sample = sample or phonenumbers.example_number(region)
    assert sample is not None
    text = phonenumbers.format_number(sample, phonenumbers.PhoneNumberFormat.E164)
    tail = draw(st.text("0123456789", min_size=3, max_size=3))
    changed = phonenumbers.parse(text[:-3] + tail)
    return text[:-3] + tail if phonenumbers.is_valid_number(changed) else text


@st.composite
def scattered(draw: st.DrawFn, digits: str) -> str:
    """The same digits with separators strewn in, as people do."""
    separators = st.sampled_from(["", "", "", " ", "-", ".", "\u00a0", "\u2011"])
    return "".join(digit + (draw(separators) if digit != "+" else "") for digit in digits)
