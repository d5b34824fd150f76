"""Answers that a person types."""

from collections.abc import Sequence

import click

from vm_ari.setup_wizard.talk import Question


class Terminal:
    """`Asker`: asks again until an answer is possible."""

    talks = True

    def ask(self, question: Question) -> str:
        """See `Asker`."""
        if question.more:
            click.echo(click.style(f"  {question.more}", dim=True))
        if question.choices and any(question.choices.values()):
            _list(question)
        while True:
            answer = self._typed(question)
            try:
                return _chosen(question, answer) if question.choices else question.check(answer)
            except ValueError as error:
                click.echo(f"  {error}")

    def _typed(self, question: Question) -> str:
        """A secret that is known already is not shown."""
        known = question.default
        prompt = f"  {question.words}"
        if question.secret:
            if known:
                prompt += " [as before]"
            text = click.prompt(prompt, default=known, hide_input=True, show_default=False)
        elif question.choices and not any(question.choices.values()):
            prompt += f" ({'/'.join(question.choices)})"
            text = click.prompt(prompt, default=known)
        elif question.choices:
            names = list(question.choices)
            place = str(names.index(known) + 1) if known in names else None
            text = click.prompt(prompt, default=place)
        else:
            text = click.prompt(prompt, default=known, show_default=bool(known))
        return str(text).strip()


def _list(question: Question) -> None:
    for place, (_name, words) in enumerate(question.choices.items(), start=1):
        click.echo(f"    {place}  {words}")


def _chosen(question: Question, answer: str) -> str:
    """By its number, its name, or how that begins. Raises ValueError."""
    names: Sequence[str] = list(question.choices)
    if answer.isdecimal() and 1 <= int(answer) <= len(names) and answer not in names:
        return names[int(answer) - 1]
    fitting = [name for name in names if answer and name.startswith(answer.lower())]
    if answer in names or len(fitting) == 1:
        return answer if answer in names else fitting[0]
    if any(question.choices.values()):
        raise ValueError(f"Write a number from 1 to {len(names)}.")
    raise ValueError(f"Write {' or '.join(names)}.")
