"""What the wizard asks and says; who answers is behind a port: a person, or a file."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import click

from vm_ari.adapters.findings import Finding

Check = Callable[[str], str]
"""The answer as it is used. Raises ValueError, whose text says what is possible."""
YES, NO = "yes", "no"


class Stopped(Exception):
    """The wizard ends before anything is written. The text says why."""


@dataclass(frozen=True)
class Question:
    """One thing that could not be found out."""

    key: str
    """Its name in a file of answers: ``site.base_number``."""
    words: str
    default: str | None = ""
    """What counts without an answer; None: there must be one."""
    choices: Mapping[str, str] = field(default_factory=dict)
    """What is possible, with its meaning; empty: any text."""
    check: Check = str
    secret: bool = False
    more: str = ""
    """A sentence that helps to answer."""
    unattended: str | None = None
    """What counts where nobody is asked, if that is not the default."""


class Asker(Protocol):
    """Who answers."""

    talks: bool
    """Does somebody see the questions?"""

    def ask(self, question: Question) -> str:
        """The answer, checked. Raises `Stopped`."""
        ...


class Talk:
    """The conversation; it remembers what was answered."""

    def __init__(self, asker: Asker, write: Callable[[str], None] = click.echo) -> None:
        self._asker = asker
        self._write = write
        self.answers: dict[str, str] = {}
        self._heading = ""
        self.problems: list[str] = []
        """Of the last trial."""

    def ask(self, question: Question) -> str:
        """Ask, and remember the answer. Raises `Stopped`."""
        if self._asker.talks:
            self.begin()
        answer = self._asker.ask(question)
        self.answers[question.key] = answer
        return answer

    def agrees(self, key: str, words: str, *, default: bool, unattended: bool) -> bool:
        """Ask for yes or no. Raises `Stopped`."""
        names = {True: YES, False: NO}
        choices = {YES: "", NO: ""}
        question = Question(key, words, names[default], choices, unattended=names[unattended])
        return self.ask(question) == YES

    def begin(self) -> None:
        """Show the heading of what follows."""
        if self._heading:
            self._write(f"\n{click.style(self._heading, bold=True)}")
            self._heading = ""

    def heading(self, text: str) -> None:
        """Something new begins; it is shown when there is something to say."""
        self._heading = text

    def say(self, text: str) -> None:
        """A plain line."""
        self.begin()
        self._write(text)

    def found(self, text: str) -> None:
        """Something that need not be asked."""
        self.begin()
        self._write(f"  {click.style('·', fg='blue')} {text}")

    def good(self, text: str) -> None:
        """Something works."""
        self.begin()
        self._write(f"  {click.style('✓', fg='green')} {text}")

    def bad(self, text: str, advice: str = "") -> None:
        """Something does not, and what to do."""
        self.begin()
        self._write(f"  {click.style('✗', fg='red')} {text}")
        if advice:
            self._write(f"    {advice}")

    def tell(self, findings: Iterable[Finding]) -> bool:
        """What a trial has found; is all of it good?"""
        self.problems = []
        for one in findings:
            if one.good:
                self.good(f"{one.text} {one.advice}".strip())
            else:
                self.problems.append(one.text)
                self.bad(one.text, one.advice)
        return not self.problems

    def until_good(self, key: str, ask: Callable[[], None], works: Callable[[], bool]) -> None:
        """Ask, try, and ask again until it works, or shall stay as it is. Raises `Stopped`."""
        self.problems = []
        ask()
        while not works():
            question = Question(
                f"{key}.anyway",
                "What now?",
                "change",
                {
                    "change": "change the answers",
                    "again": "try the same once more",
                    "keep": "keep it as it is",
                    "stop": "stop; nothing is written",
                },
                unattended="stop",
            )
            match self.ask(question):
                case "change":
                    ask()
                case "keep":
                    return
                case "stop":
                    raise Stopped("Nothing is written.")
            del self.answers[question.key]  # of another trial
