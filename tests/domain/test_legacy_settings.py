"""Settings of the older form are imported as far as they are known, and the rest is named."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.legacy_settings import (
    Fate,
    Leftover,
    LegacyImport,
    import_legacy,
    is_legacy,
    plain_pin,
)
from vm_ari.domain.preferences import SETTINGS, Access

OLD = [
    "IXIISDNOriginatingAddress=",
    "IXIFaxMaxPages=0",
    "IXIVOCPermTsvc=4",
    "IXI-UMSMobileEnabled=Y",
    "IXI-UMSPINFailureCount=2",
    "IXI-UMSMobilePIN=MTIzNDU=",
    "IXI-UMSMobileLevel=M",
    "IXI-UMSMobileAnnouncementFlags=ENENENENEN",
    "IXI-UMSMobileNoMessageProfiles=",
    "IXI-UMSMobileOH=",
    "ixi-umsMobileRestrictionFlags=..........",
    "ixi-umsMobileIMAPMailbox=inbox",
    "MNThrhlds=",
    "MNDestDev=",
]
LEFT = (
    Leftover("IXIFaxMaxPages", "0", Fate.OTHER_SERVICE),
    Leftover("IXIVOCPermTsvc", "4", Fate.OTHER_SERVICE),
    Leftover("IXI-UMSMobileLevel", "M", Fate.UNDOCUMENTED),
    Leftover("IXI-UMSMobileAnnouncementFlags", "ENENENENEN", Fate.UNDOCUMENTED),
)


@pytest.mark.feature_part("DIR-06", "settings of the older form are imported")
@pytest.mark.parametrize("values", [OLD, [",".join(f'"{value}"' for value in OLD)]])
def test_what_is_known_is_imported_and_the_rest_is_named(values: list[str]) -> None:
    result = import_legacy(values)
    assert result.settings == {"voice_mail_enabled": "yes", "folder": "INBOX"}
    assert (result.pin, result.pin_failures) == ("12345", 2)
    assert result.leftovers == LEFT
    assert result.foreign == ()


def test_what_is_imported_whole_may_be_deleted() -> None:
    named = {leftover.key for leftover in LEFT}
    assert [v for v in OLD if v.partition("=")[0] not in named] == list(import_legacy(OLD).imported)
    assert import_legacy([",".join(f'"{value}"' for value in OLD)]).imported == ()


def test_values_of_others_are_left_alone() -> None:
    result = import_legacy(["Room 12", "language=de", "IXI-UMSMobileEnabled=N"])
    assert result.foreign == ("Room 12", "language=de")
    assert result.settings == {"voice_mail_enabled": "no"}
    assert [is_legacy(value) for value in OLD] == [True] * len(OLD)


def test_the_admin_says_what_a_level_means() -> None:
    levels = {"M": Access.FULL}
    assert import_legacy(["ixi-umsmobilelevel=m"], levels=levels).settings == {"access": "full"}
    (left,) = import_legacy(["IXI-UMSMobileLevel=P"], levels=levels).leftovers
    assert left.fate is Fate.UNDOCUMENTED


@pytest.mark.parametrize(
    ("value", "fate"),
    [
        ("IXI-UMSMobileEnabled=maybe", Fate.BAD_VALUE),
        ("IXI-UMSPINFailureCount=-1", Fate.BAD_VALUE),
        ("IXI-UMSMobileIMAPMailbox=/", Fate.BAD_VALUE),
        ("ixi-umsMobileRestrictionFlags=....X", Fate.UNDOCUMENTED),
        ("IXI-UMSMobileOH=0800", Fate.NOT_A_SETTING_YET),
        ("MNThrhlds=1,2,1", Fate.UNDOCUMENTED),
        ("MNThrhlds=0,0,0", Fate.UNDOCUMENTED),
        ("MNDestDev=1", Fate.UNDOCUMENTED),
        ("IXI-UMSNew=1", Fate.UNKNOWN_KEY),
        ("IXICostCenter=4711", Fate.OTHER_SERVICE),
    ],
)
def test_what_cannot_be_imported_is_named_with_its_reason(value: str, fate: Fate) -> None:
    result = import_legacy([value])
    assert [left.fate for left in result.leftovers] == [fate]
    assert not result.settings
    assert not result.imported


def test_a_number_of_new_messages_counts_where_it_is_one_for_all_kinds() -> None:
    settings = import_legacy(["MNThrhlds=3, 3,3"]).settings
    assert settings == {f"notify_{kind}_from": "3" for kind in ("voice", "fax", "text")}


@pytest.mark.parametrize(
    ("folder", "ours"),
    [
        ("inbox", "INBOX"),
        ("Inbox/Voice", "INBOX/Voice"),
        ("Voice", "Voice"),
        ("inboxes", "inboxes"),
    ],
)
def test_a_folder_keeps_its_name(folder: str, ours: str) -> None:
    value = f"IXI-UMSMobileIMAPMailbox={folder}"
    assert import_legacy([value]).settings == {"folder": ours}


@given(st.text("0123456789", min_size=1, max_size=20))
def test_a_pin_is_the_same_plain_or_coded(pin: str) -> None:
    coded = base64.b64encode(pin.encode()).decode()
    assert plain_pin(pin) == plain_pin(coded) == pin


@pytest.mark.parametrize("text", ["", "abc", "MTIz*", "YWJj", "12 34", "MTIzNDU", "١٢٣٤", "\0"])
def test_what_is_no_pin_is_none(text: str) -> None:
    assert plain_pin(text) is None


@pytest.mark.parametrize("secret", ["MTIzNDU=", "98765", "s3cret"])
def test_no_secret_shows_in_a_report(secret: str) -> None:
    values = [f"IXI-UMSMobilePIN={secret}", f"IXI-UMSIMAPPassword={secret}"]
    assert secret not in repr(import_legacy(values))
    assert "12345" not in repr(import_legacy(values))


@given(st.lists(st.text(max_size=30) | st.text(max_size=20).map("IXI-UMSMobile{}".format)))
def test_any_attribute_is_survived_and_gives_only_settings_of_ours(values: list[str]) -> None:
    result = import_legacy(values)
    assert isinstance(result, LegacyImport)
    for key, text in result.settings.items():
        SETTINGS[key].parse(text)
    assert all(left.value.isprintable() for left in result.leftovers)
