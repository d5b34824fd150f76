"""From one mail to what is said of it, line by line; runs in the confined worker."""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

from vm_ari.adapters.mail_html import text_of_html
from vm_ari.adapters.mail_parts import Buffer, Part, Parts, parts_of, text_of
from vm_ari.adapters.mail_reading import Headers, decoded, display_name
from vm_ari.domain.mail_speech.letter import Letter, Paragraph, letter
from vm_ari.domain.mail_speech.recognition import is_readable, unmistakable
from vm_ari.domain.mail_speech.speaking import notice, notices, spoken_line, utterances
from vm_ari.domain.mail_speech.utterances import FIRST_LENGTH, LENGTH, About, Utterance
from vm_ari.domain.mail_speech.wording import Notices, wording

LONGEST_SPOKEN = 30_000
"""Characters of a mail: about half an hour."""
NAMED_ATTACHMENTS = 3
SHORT_QUOTE = 200
"""Characters of a quote between answers that is read."""
SURE = 60
"""Characters: a shorter paragraph is in the language of the part that it stands in."""
TELLING = 25
"""Characters: of a shorter text the mail's own word is the better one."""
HINTED = 0.1
"""Probability from which the mail's own word about its language is believed."""
LOOKED_AT = 2000
_STUB = re.compile(
    r"(?i)html[- ](?:e-?mail|mail|message|format|version|nachricht|ansicht)|view (?:it|this)"
)


@dataclass
class _Spoken:
    """How much was said."""

    characters: int = 0
    cut: bool = False
    silent_scripts: bool = False
    encrypted: bool = False

    @property
    def cut_off(self) -> bool:
        """Was it enough?"""
        return self.characters > LONGEST_SPOKEN

    @property
    def first_length(self) -> int:
        """Speech shall start soon."""
        return FIRST_LENGTH if not self.characters else LENGTH


def utterances_of(mail: Buffer, languages: Sequence[str]) -> Iterator[Utterance]:
    """What is said, in order; the listener's own language is the first of *languages*."""
    parts = parts_of(mail)
    spoken = _Spoken(cut=parts.truncated)
    contents = (_content(mail, choice, spoken) for choice in parts.texts)
    letters = (content for content in contents if content is not None)
    yield from _sender(parts.headers, languages[0])
    first = next(letters, None)
    language = _language(first, parts.headers, languages) if first else languages[0]
    yield from _subject(parts.headers, languages, language)
    while first is not None and not spoken.cut_off:
        yield from _part(first, language, languages, spoken)
        first = next(letters, None)
        language = _language(first, parts.headers, languages) if first else language
    yield from _ending(parts, spoken, languages[0])


def _sender(headers: Headers, own: str) -> Iterator[Utterance]:
    """Who writes: heard while the language of the text is still being found out."""
    if said := spoken_line(display_name(headers.get("from", "")), own):
        yield Utterance(said, own, About.SENDER)


def _subject(headers: Headers, languages: Sequence[str], language: str) -> Iterator[Utterance]:
    """About what; *language* is that of the text."""
    subject = decoded(headers.get("subject", ""))
    language = unmistakable(subject, languages) or language
    if said := spoken_line(subject, language):
        yield Utterance(said, language, About.SUBJECT)


def _content(mail: Buffer, choice: Sequence[Part], spoken: _Spoken) -> Letter | None:
    """Of the alternatives the one that is better to listen to."""
    plain = next((part for part in choice if part.kind == "text/plain"), None)
    rich = next((part for part in reversed(choice) if part.kind == "text/html"), None)
    written, cut = text_of(mail, plain) if plain else ("", False)
    if rich is not None and (len(written) < 200 or _STUB.search(written[:1000]) or plain is None):
        source, cut_source = text_of(mail, rich)
        shown, cut_shown = text_of_html(source)
        if _letters(shown) > _letters(written):
            written, cut = shown, cut_source or cut_shown
    spoken.cut |= cut
    content = letter(written)
    spoken.encrypted |= content.encrypted
    return content if written.strip() else None


def _letters(text: str) -> int:
    return sum(sign.isalnum() for sign in text)


def _part(
    content: Letter, language: str, languages: Sequence[str], spoken: _Spoken
) -> Iterator[Utterance]:
    """The paragraphs, each in its language, with what is said between them."""
    own = languages[0]
    if content.only_quoted:
        yield from notice(own, "only_quoted")
    for paragraph in content.paragraphs:
        if spoken.cut_off:
            spoken.cut = True
            return
        if not is_readable(paragraph.text, languages):
            if not spoken.silent_scripts:
                yield from notice(own, "other_script")
            spoken.silent_scripts = True
            continue
        yield from _paragraph(paragraph, _of_paragraph(paragraph, language, languages), own, spoken)
    if content.rest_quoted:
        yield from notice(own, "rest_quoted")


def _of_paragraph(paragraph: Paragraph, language: str, languages: Sequence[str]) -> str:
    """Many mails say the same in two languages."""
    other = unmistakable(paragraph.text, languages) if len(paragraph.text) > SURE else None
    return other or language


def _paragraph(
    paragraph: Paragraph, language: str, own: str, spoken: _Spoken
) -> Iterator[Utterance]:
    text = paragraph.text
    if paragraph.quoted:
        if len(text) > SHORT_QUOTE:
            yield from notice(own, "quote_left_out")
            return
        words = wording(language)
        text = words.notices.quote.format(text=text) if words else text
    for one in utterances(text, language, first=spoken.first_length):
        if spoken.cut_off:
            spoken.cut = True
            return
        spoken.characters += len(one.text)
        yield one
    if paragraph.more_rows:
        yield from notice(own, "more_rows", count=paragraph.more_rows)


def _ending(parts: Parts, spoken: _Spoken, own: str) -> Iterator[Utterance]:
    if (parts.encrypted or spoken.encrypted) and not spoken.characters:
        yield from notice(own, "encrypted")
    elif not spoken.characters and not spoken.silent_scripts:
        yield from notice(own, "empty")
    if spoken.cut:
        yield from notice(own, "cut")
    yield from _attachments(parts.attachments, own)


def _attachments(attachments: Sequence[Part], own: str) -> Iterator[Utterance]:
    """How many, and the names of some."""
    sentences, language = notices(own)
    if not attachments:
        return
    names = [_named(part, language, sentences) for part in attachments[:NAMED_ATTACHMENTS]]
    others = len(attachments) - len(names)
    if others:
        names.append(sentences.more.format(count=others))
    which = "one_attachment" if len(attachments) == 1 else "attachments"
    yield from notice(own, which, count=len(attachments), names=", ".join(names))


def _named(part: Part, language: str, sentences: Notices) -> str:
    if part.kind == "message/rfc822":
        return sentences.attached_message
    return spoken_line(part.file_name.replace("_", " "), language) or sentences.unnamed


def _language(content: Letter, headers: Headers, languages: Sequence[str]) -> str:
    """Of a part: by its small words, else by a model, which the mail's header may help."""
    text = " ".join(p.text for p in content.paragraphs if not p.quoted)[:LOOKED_AT]
    if len(languages) == 1 or not text:
        return languages[0]
    hint = _hint(headers, languages)
    return unmistakable(text, languages) or _recognised(text, tuple(languages), hint)


def _hint(headers: Headers, languages: Sequence[str]) -> str | None:
    code = headers.get("content-language", "").strip()[:2].lower()
    return code if code in languages else None


def _recognised(text: str, languages: tuple[str, ...], hint: str | None) -> str:
    ranking = dict(_probabilities(text, languages))
    if not ranking:
        return hint or languages[0]
    if hint is not None and (ranking.get(hint, 0.0) >= HINTED or len(text) < TELLING):
        return hint
    return max(ranking, key=lambda code: ranking[code])


def _probabilities(text: str, languages: tuple[str, ...]) -> Sequence[tuple[str, float]]:
    """Best first; empty where no model can be had, and then one has to do without."""
    try:
        model = _model()
    except (OSError, MemoryError, ImportError, ValueError):
        return []
    known = [code for code in languages if code in model.labels]
    if not known:
        return []
    model.set_languages(known)
    ranking: Sequence[tuple[str, float]] = model.rank(text)
    model.set_languages(None)
    return ranking


@cache
def _model() -> Any:
    """130 MB and most of a second: only where a text needs it."""
    from py3langid import modelio
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    # it unpacks its model into a file, and this process may write none
    modelio.tempfile = SimpleNamespace(TemporaryFile=lambda **_: io.BytesIO())
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
