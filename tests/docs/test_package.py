"""What is installed is what is in the source tree."""

import configparser
from pathlib import Path

ROOT = Path(__file__).parents[2]


def installed_files() -> set[Path]:
    """Everything that setup.cfg puts below share/vm-ari."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    patterns = setup["options.data_files"].values()
    return {file for pattern in patterns for file in ROOT.glob(pattern) if file.is_file()}


def test_every_sound_template_and_include_file_is_installed() -> None:
    wanted = {
        file
        for folder in ("sounds", "templates", "asterisk-conf")
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and file.name != "README.md"
    }
    missing = sorted(str(file.relative_to(ROOT)) for file in wanted - installed_files())
    assert not missing, f"add a line to [options.data_files] in setup.cfg for {missing[:5]}"
