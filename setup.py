"""Install whole folders of data; all else about the package is said in setup.cfg.

The data_files of setup.cfg want a line for each folder. Here a new language is installed because
its folders are there.
"""

from pathlib import Path

from setuptools import setup

DATA = (
    "asterisk-conf",
    "mail-conf",
    "packaging/monitoring",
    "packaging/systemd",
    "schema",
    "sounds",
    "templates",
)
MAN = Path("packaging/man")
TARGET = "share/vm-ari"


def data_files() -> list[tuple[str, list[str]]]:
    """Each folder below `DATA` as it will be called, with its files; manual pages for man."""
    folders = [path for top in DATA for path in (Path(top), *sorted(Path(top).rglob("*")))]
    man = [("share/man/man1", [file.as_posix() for file in _files(MAN)])] if MAN.is_dir() else []
    return man + [
        (f"{TARGET}/{folder.as_posix()}", [file.as_posix() for file in _files(folder)])
        for folder in folders
        if folder.is_dir()
    ]


def _files(folder: Path) -> list[Path]:
    shown = (path for path in folder.iterdir() if not path.name.startswith("."))
    return sorted(path for path in shown if path.is_file())


setup(data_files=data_files())
