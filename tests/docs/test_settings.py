"""The page of users' settings is made from the program: ``python -m tests.docs.test_settings``."""

from pathlib import Path

from vm_ari.domain.preferences import SETTINGS

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
HEAD = """\
# Settings of a user

Made from the program by `python -m tests.docs.test_settings`; do not edit.

Each can be set for one user (`vm-ari users set anna language=de`), for an organisation
(`[organisations.<id>] settings` of the configuration) and for everybody (`[defaults]`); the nearest
value counts, and `vm-ari users effective anna` shows whose it is. `vm-ari users set anna language=`
takes the user's own value away.

| setting | possible | without any | |
| --- | --- | --- | --- |
"""


def page() -> str:
    """As it should be."""
    rows = []
    for key, setting in SETTINGS.items():
        default = setting.form.write(setting.default) or "none"
        rows.append(f"| `{key}` | {setting.form.expects} | {default} | {setting.doc} |\n")
    return HEAD + "".join(rows)


def test_the_page_of_settings_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), __doc__


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
