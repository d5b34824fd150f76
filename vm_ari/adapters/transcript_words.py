"""How a transcript is shown in a mail: what templates are given of it."""

from collections.abc import Mapping

from babel import Locale

from vm_ari.domain.transcripts import Transcript


def shown(transcript: Transcript, locale: Locale) -> Mapping[str, object]:
    """*passages* (each *text* and *sure*), *sure* of all, and *language* by its name, or empty.

    The text is plain: templates of HTML escape it as all else.
    """
    names = locale.languages
    return {
        "passages": [{"text": one.text, "sure": one.sure} for one in transcript.passages],
        "sure": transcript.sure,
        "language": names.get(transcript.language, transcript.language),
    }
