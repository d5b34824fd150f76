"""Filters and names: what goes into one stays a value; the encoding is compared with ldap3's."""

import ast
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.adapters.ldap import ber, filters, names, wire
from vm_ari.adapters.ldap.filters import AllOf, BadFilter, Match, Not, equal, filled, parse
from vm_ari.adapters.ldap.mapping import PRESETS, Mapping, Preset, queries
from vm_ari.domain.numbers import Site

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    searching: Any = import_module("ldap3.operation.search")
    asn1: Any = import_module("ldap3.utils.asn1")
    from ldap3.utils.dn import parse_dn

PACKAGE = Path(filters.__file__).parent
HOSTILE = [
    "*",
    ")(uid=*",
    "*)(|(uid=*",
    "\\",
    "\\2a",
    "\0",
    "a" * 2000,
    "1\r\n2",
    "\udcff",
    "(",
    "ä",
]
SITE = Site(base_number="+498142479", area="8142")


def by_ldap3(text: str) -> bytes:
    """What the library makes of a filter."""
    tree = searching.parse_filter(text, None, True, None, None, False)
    encoded: bytes = asn1.encode(searching.compile_filter(tree.elements[0]))
    return encoded


@pytest.mark.parametrize(
    "text",
    [
        "(uid=anna)",
        "(objectClass=*)",
        "(&(a=b)(|(c=d)(!(e=f))))",
        "(cn=An*)",
        "(cn=*a)",
        "(cn=A*n*a)",
        "(cn=*nn*)",
        "(age>=3)",
        "(age<=3)",
        "(cn~=ana)",
        r"(cn=a\2ab\28\29)",
        "(userAccountControl:1.2.840.113556.1.4.803:=2)",
        "(cn:caseExactMatch:=Anna)",
        "(cn:dn:caseExactMatch:=Anna)",
        "(telephoneNumber=+49 (8142) 47)".replace("(8142)", r"\288142\29"),
        "(cn=Größe)",
        "(cn=" + "x" * 300 + ")",
    ],
)
def test_a_filter_is_what_the_library_makes_of_it(text: str) -> None:
    assert parse(text).encoded() == by_ldap3(text)


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_any_value_is_a_value(value: str) -> None:
    expected = by_ldap3("(uid=" + "".join(f"\\{byte:02x}" for byte in value.encode()) + ")")
    assert equal("uid", value).encoded() == expected
    template = parse("(uid=${NUMBER})")
    assert filled(template, lambda _: [value]).encoded() == expected


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_never_changes_the_filter(value: str) -> None:
    everybody = parse(PRESETS[Preset.OPENLDAP].user_filter)
    found = queries(PRESETS[Preset.OPENLDAP], SITE).by_number(value)
    assert isinstance(found, AllOf)
    first, second = found.parts
    assert first == everybody
    raw = value.encode("utf-8", "replace")
    assert second == filters.AnyOf(
        tuple(Match(name, raw) for name in ("vmAriNumber", "vmAriMailbox", "telephoneNumber"))
    )


def test_places_are_filled_with_spellings() -> None:
    mapping = Mapping(number_filter="(|(fax=${UMS})(!(a=IXI:${UMS_WHTSPC}))(b=*${NUMBER}))")
    number = queries(mapping, SITE).by_number("+49814247955")
    assert isinstance(number, AllOf)
    _, any_of = number.parts
    assert isinstance(any_of, filters.AnyOf)
    fax, not_a, b = any_of.parts
    assert isinstance(fax, filters.AnyOf)
    assert {equal("fax", "+49814247955"), equal("fax", "08142 47955")} <= set(fax.parts)
    assert isinstance(not_a, Not)
    assert isinstance(not_a.part, filters.AnyOf)
    assert equal("a", "IXI:+49 8142 47955") in not_a.part.parts
    assert all(b" " in part.value for part in not_a.part.parts if isinstance(part, Match))
    assert b == filters.Parts("b", (b"", b"+49814247955"))


def test_where_blanks_do_not_matter_the_blanks_form_is_asked_for_once() -> None:
    mapping = Mapping(number_filter="(a=${UMS_WHTSPC})", blanks_matter=False)
    assert queries(mapping, SITE).by_number("+49814247955") == AllOf(
        (parse(mapping.user_filter), equal("a", "+49 8142 47955"))
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"should be a \( at character 0"),
        ("uid=anna", r"should be a \( at character 0"),
        ("(uid=anna", r"should be a \) at character 9"),
        ("(uid=anna))", "ends at character 10"),
        ("(&)", "too many or too few"),
        ("(!(a=b)(c=d))", "too many or too few"),
        ("(uid)", "attribute and a = at character 1"),
        ("(=x)", "attribute and a ="),
        ("(cn:rule=x)", "needs :="),
        (r"(cn=\zz)", "hexadecimal"),
        ("(" * 30, "attribute"),
        ("(!" * 30, "nested too deep"),
    ],
)
def test_a_wrong_filter_is_explained(text: str, says: str) -> None:
    with pytest.raises(BadFilter, match=says):
        parse(text)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"number_filter": "(telephoneNumber=*)"}, "needs one of"),
        ({"number_filter": "(telephoneNumber=${UMSS})"}, "needs one of"),
        ({"user_filter": "(uid=${UMS})"}, "cannot hold a number"),
    ],
)
def test_a_mapping_without_a_number_is_refused(changes: dict[str, str], says: str) -> None:
    with pytest.raises(BadFilter, match=says):
        queries(Mapping(**changes), SITE)  # type: ignore[arg-type]


@pytest.mark.parametrize("preset", Preset)
def test_every_preset_can_be_used(preset: Preset) -> None:
    found = queries(PRESETS[preset], SITE)
    assert b"+498142479101" in found.by_number("+498142479101").encoded()
    assert PRESETS[preset].id in found.compared()


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_any_value_can_name_an_entry(value: str) -> None:
    dn = names.below("dc=example,dc=org", "uid", value)
    parsed = parse_dn(dn, escape=False, strip=False)
    assert [(name, separator) for name, _, separator in parsed] == [
        ("uid", ","),
        ("dc", ","),
        ("dc", ""),
    ]


@given(st.integers(min_value=0, max_value=2**40))
def test_numbers_are_encoded_as_positive(value: int) -> None:
    coded = ber.integer(value)
    assert int.from_bytes(coded[2:], "big", signed=True) == value


@given(st.binary(max_size=60))
def test_nonsense_from_a_server_is_noticed(data: bytes) -> None:
    try:
        found = list(ber.elements(data, 0, len(data)))
    except ber.Malformed:
        return
    assert sum(part.end - part.start for part in found) <= len(data)


ENTRY = ber.element(
    ber.SEQUENCE,
    ber.integer(3),
    ber.element(
        0x64,
        ber.text("uid=anna,dc=org"),
        ber.element(
            ber.SEQUENCE,
            ber.element(ber.SEQUENCE, ber.text("UID"), ber.element(0x31, ber.text("anna"))),
            ber.element(ber.SEQUENCE, ber.text("cn"), ber.element(0x31)),
        ),
    ),
)
DONE = bytes.fromhex("300c02010365070a010004000400")


@given(st.sampled_from([ENTRY, DONE]), st.integers(0, 60), st.binary(max_size=4), st.booleans())
def test_a_broken_answer_is_no_surprise(message: bytes, at: int, new: bytes, whole: bool) -> None:
    broken = message[:at] + new + message[at + (0 if whole else len(new)) :]
    try:
        said = wire.answer(broken, 3)
    except (ValueError, ConnectionError):
        return
    assert said is None or isinstance(said, wire.Found | wire.Done)


def test_an_answer_is_read() -> None:
    assert wire.answer(DONE, 3) == wire.Done(0, "")
    assert wire.answer(ENTRY, 3) == wire.Found("uid=anna,dc=org", {"uid": (b"anna",)})
    with pytest.raises(ber.Malformed):
        wire.answer(DONE, 4)


# --- One place where filters and names are made


def trees() -> Iterator[tuple[str, ast.AST]]:
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            yield file.name, node


def test_only_one_place_reads_filters_from_text() -> None:
    callers = {
        file
        for file, node in trees()
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"filters.parse", "parse"}
    }
    assert callers == {"mapping.py"}


def test_no_text_is_put_together_to_a_filter_or_a_name() -> None:
    def after_equals(node: ast.JoinedStr) -> bool:
        pairs = zip(node.values, node.values[1:], strict=False)
        return any(
            isinstance(text, ast.Constant)
            and str(text.value).endswith("=")
            and isinstance(value, ast.FormattedValue)
            for text, value in pairs
        )

    makers = {
        file for file, node in trees() if isinstance(node, ast.JoinedStr) and after_equals(node)
    }
    assert makers == {"names.py"}
    for file, node in trees():
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not node.value.startswith(("(&", "(|", "(!")) or file == "mapping.py"
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"escape_filter_chars", "escape_rdn"}, file


def test_the_library_is_used_in_one_module_and_searches_nothing() -> None:
    root = PACKAGE.parents[1]
    users = {
        str(file.relative_to(root))
        for file in root.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Import) and any("ldap3" in a.name for a in node.names))
        or (isinstance(node, ast.ImportFrom) and "ldap3" in (node.module or ""))
    }
    assert users == {"adapters/ldap/session.py"}
    calls = {ast.unparse(node.func) for _, node in trees() if isinstance(node, ast.Call)}
    assert "self._ldap.search" not in calls
