"""Sentences as calls put them together, and their words: what a listener must hear as one."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from vm_ari.adapters.prompt_texts import read_texts
from vm_ari.speech.catalogue import Noun, P
from vm_ari.speech.language import language
from vm_ari.speech.parts import Counted, Day, Digits, Duration, Moment, Number, Sentence

SOUNDS = Path(__file__).parents[2] / "sounds"
NOW = datetime(2026, 3, 11, 17, 0)  # a Wednesday
TODAY = NOW.date()

SENTENCES: Mapping[str, Sentence] = {
    "nothing": (P.YOU_HAVE, Counted(0, Noun.NEW_VOICE_MESSAGE)),
    "one and two": (
        *(P.YOU_HAVE, Counted(1, Noun.NEW_VOICE_MESSAGE)),
        *(P.AND, Counted(2, Noun.NEW_OTHER_MESSAGE)),
    ),
    "twenty-one": (P.YOU_HAVE, Counted(21, Noun.HEARD_VOICE_MESSAGE)),
    "a hundred": (P.YOU_HAVE, Counted(100, Noun.NEW_VOICE_MESSAGE)),
    "a message": (
        *(P.MESSAGE_NUMBER, Number(21), P.URGENT, P.KIND_VOICE, P.FROM, Digits("0305550")),
        *(P.RECEIVED, Moment(datetime(2026, 3, 11, 9, 5), NOW), P.LENGTH, Duration(61)),
    ),
    "on a weekday": (P.RECEIVED, Moment(datetime(2026, 3, 9, 0, 21), NOW)),
    "last year": (P.RECEIVED, Moment(datetime(2025, 12, 31, 23, 59), NOW)),
    "yesterday": (P.RECEIVED, Moment(datetime(2026, 3, 10, 13, 0), NOW)),
    "half an hour": (P.LENGTH, Duration(1821)),
    "a second": (P.LENGTH, Duration(1)),
    "a vacation": (
        P.PROFILE_VACATION,
        P.PROFILE_IS_ACTIVE,
        P.IT_ENDS,
        Day(date(2026, 4, 1), TODAY),
    ),
    "a menu": (P.FOR_TRANSFER, P.PRESS, Digits("7"), P.TO_GO_BACK, P.PRESS, Digits("*")),
    "a transfer": (P.TRANSFER_IS, Digits("+4930")),
    "a new PIN": (P.ENTER_NEW_PIN, Number(6), P.DIGITS_AND_HASH),
    "a conference": (P.CONFERENCE_PARTICIPANTS_ARE, Number(21)),
    "a large number": (Number(101_001),),
}


def clips_of(code: str, sentence: Sentence) -> Sequence[str]:
    """The ids of the prompts that say it, without the language."""
    return [clip.name.removeprefix(f"{code}/") for clip in language(code).clips(sentence)]


def words_of(code: str, sentence: Sentence, sounds: Path = SOUNDS) -> str:
    """What is heard, from texts.csv; a bar where one clip ends and the next begins."""
    texts = read_texts(sounds / code)
    return " | ".join(texts[id_].words for id_ in clips_of(code, sentence))
