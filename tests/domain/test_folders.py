"""Names of folders that every message store takes (STORE-05)."""

import pytest

from vm_ari.domain.folders import BadFolder, folder_named


@pytest.mark.parametrize("name", ["Archive", "Später & Co", "x" * 60])
def test_names(name: str) -> None:
    assert folder_named(f" {name} ") == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "x" * 61,
        "a/b",
        "a\\b",
        "..",
        "a.b",
        "a*",
        "a%",
        'a"b',
        "a\r\nb",
        "a\u202eb",
        "inbox",
    ],
)
def test_what_is_no_name_everywhere_is_refused(name: str) -> None:
    with pytest.raises(BadFolder):
        folder_named(name)
