"""Answers from a file, without anybody being asked; and what was answered, written into one."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vm_ari.config.document import replace
from vm_ari.config.problems import toml, toml_key
from vm_ari.config.sources import BadSource, from_file, leaves
from vm_ari.setup_wizard.talk import Question, Stopped

_OTHERS = 0o077
_HEAD = """\
# Answers to the questions of vm-ari init, for: vm-ari init --answers FILE
# There are passwords among them: keep this file to yourself.
"""


class FromFile:
    """`Asker`: what the file does not say is as it would be by itself, if it can be."""

    talks = False

    def __init__(self, path: Path) -> None:
        """Raises `Stopped` for a file that cannot be read."""
        try:
            source = from_file(path)
        except BadSource as error:
            raise Stopped(str(error)) from None
        self._path, self._source = path, source
        self._given = {
            ".".join(map(str, where)): _text(value) for where, value in leaves(source.values)
        }
        self._asked: set[str] = set()

    def ask(self, question: Question) -> str:
        """See `Asker`."""
        self._asked.add(question.key)
        if question.key in self._given:
            return self._checked(question, self._given[question.key])
        answer = question.default if question.unattended is None else question.unattended
        if answer is None:
            raise Stopped(
                f"{self._path}: {question.key} is missing ({question.words}); add it, such as "
                f"{_example(question)}"
            )
        return question.check(answer) if not question.choices else answer

    def complaints(self) -> list[str]:
        """What is odd about the file: answers that nobody asked for, and who else may read it."""
        unused = [
            f"{self._source.told(tuple(key.split('.')))}: {key}: nobody asked for that; is it "
            "spelt right?"
            for key in self._given
            if key not in self._asked
        ]
        secret = any(key.endswith((".password", ".pin")) for key in self._given)
        if secret and self._path.stat().st_mode & _OTHERS:
            unused.append(f"{self._path}: there are passwords in it: chmod 600 {self._path}")
        return unused

    def _checked(self, question: Question, answer: str) -> str:
        where = self._source.told(tuple(question.key.split(".")))
        if question.choices and answer not in question.choices:
            possible = ", ".join(question.choices)
            raise Stopped(f"{where}: {question.key}: “{answer}” is none of {possible}")
        try:
            return answer if question.choices else question.check(answer)
        except ValueError as error:
            raise Stopped(f"{where}: {question.key}: {error}") from None


def write_answers(path: Path, answers: Mapping[str, str]) -> None:
    """For the next machine; readable by us only. Raises `BadChange`."""
    tables: dict[str, dict[str, str]] = {}
    for key, answer in answers.items():
        table, _, name = key.rpartition(".")
        tables.setdefault(table, {})[name] = answer
    text = _HEAD
    for table, values in sorted(tables.items()):
        lines = [f"{toml_key(name)} = {toml(answer)}" for name, answer in values.items()]
        text += "\n".join(["", *([f"[{table}]"] if table else []), *lines, ""])
    tomllib.loads(text)
    path.unlink(missing_ok=True)  # its old mode might let others read
    replace(path, text)


def _text(value: Any) -> str:
    return (
        {True: "yes", False: "no"}.get(value, str(value))
        if isinstance(value, bool)
        else (str(value))
    )


def _example(question: Question) -> str:
    name = question.key.rpartition(".")[2]
    shown = next(iter(question.choices), "…")
    return f'{name} = "{shown}"'
