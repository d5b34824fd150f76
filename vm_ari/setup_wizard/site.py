"""The wizard's step about the place: its numbers, country and language."""

import re
from collections.abc import Mapping

from vm_ari.setup_wizard.draft import Draft
from vm_ari.setup_wizard.surroundings import Surroundings, language_for, region_of_number
from vm_ari.setup_wizard.talk import Question, Talk
from vm_ari.speech.language import language, languages


def ask_site(talk: Talk, draft: Draft, around: Surroundings, environ: Mapping[str, str]) -> None:
    """Country and language follow from the number and the machine. Raises `Stopped`."""
    talk.heading("Numbers")
    number = talk.ask(
        Question(
            "site.base_number",
            "What your numbers begin with, before the extension",
            draft.get("site.base_number"),
            check=base_number,
            more="In international form, such as +49305550; empty if telephones have extensions "
            "only.",
        )
    )
    draft.put("site.base_number", number)
    region = region_of_number(number, around.region) if number else around.region
    if region:
        why = "by the number" if number else f"by the time zone {around.zone}"
        talk.found(f"the country: {region} ({why})")
        draft.put("site.region", region)
    spoken = language_for(region, environ)
    draft.put("site.language", _language(talk, draft.get("site.language", spoken)))


def _language(talk: Talk, usual: str) -> str:
    question = Question(
        "site.language",
        "Language that callers and users hear by default",
        usual,
        {code: f"{language(code).NAME} ({code})" for code in languages()},
    )
    return talk.ask(question)


def base_number(text: str) -> str:
    """Blanks and signs are left out. Raises ValueError."""
    clean = re.sub(r"[\s()/.-]", "", text)
    if clean.startswith("00"):
        clean = "+" + clean[2:]
    if clean and not re.fullmatch(r"\+[0-9]{2,14}", clean):
        raise ValueError("Write + and the country's code first, such as +49305550.")
    return clean
