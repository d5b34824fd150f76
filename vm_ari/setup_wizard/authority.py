"""Whose certificates are believed: asked for only where the last trial did not believe one."""

from pathlib import Path
from typing import Any

from vm_ari.setup_wizard.talk import Question, Talk


def ask_for_authority(talk: Talk, part: str, table: dict[str, Any]) -> None:
    """Sets ``ca_file`` of the table. Raises `Stopped`."""
    known = table.get("ca_file", "")
    if not known and not any("certificate" in told.lower() for told in talk.problems):
        return
    question = Question(
        f"{part}.ca_file",
        "Authority that signed its certificate (PEM)",
        known,
        check=existing_file,
        more="Empty: those of the system.",
    )
    table["ca_file"] = talk.ask(question)


def existing_file(text: str) -> str:
    """Its whole path; empty for none. Raises ValueError."""
    if not text:
        return ""
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        raise ValueError(f"There is no file {path}.")
    return str(path)
