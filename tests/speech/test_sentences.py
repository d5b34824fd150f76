"""How composed sentences read in each language: number, gender, dates, times, the joints."""

import pytest

from tests.speech.sentences import SENTENCES, words_of
from vm_ari.speech.language import languages

EXPECTED = {
    "en": {
        "nothing": "You have | no new voice messages",
        "one and two": "You have | one new voice message | and | two | other new messages",
        "twenty-one": "You have | twenty-one | old voice messages",
        "a hundred": "You have | one hundred | new voice messages",
        "a message": "Message number | twenty-one | Urgent. | voice message | from | "
        "zero | three | zero | five | five | five | zero | received | today | at nine | oh five | "
        "a m | Length: | one minute | and | one second",
        "on a weekday": "received | on Monday | at twelve | twenty-one | a m",
        "last year": "received | on December | thirty-first | twenty | twenty-five | at eleven | "
        "fifty-nine | p m",
        "yesterday": "received | yesterday | at one | p m",
        "half an hour": "Length: | thirty | minutes | and | twenty-one | seconds",
        "a second": "Length: | one second",
        "a vacation": "Vacation profile | is active. | It ends | on April | first",
        "a menu": "For call transfer | press | seven | To go back | press | star",
        "a transfer": "The destination of the transfer is | plus | four | nine | three | zero",
        "a new PIN": "Please enter a new PIN of at least | six | digits, followed by the hash key.",
        "a conference": "Number of participants: | twenty-one",
        "a large number": "one hundred | one | thousand | one",
    },
    "de": {
        "nothing": "Sie haben | keine neuen Sprachnachrichten",
        "one and two": "Sie haben | eine neue Sprachnachricht | und | zwei | "
        "andere neue Nachrichten",
        "twenty-one": "Sie haben | einundzwanzig | gehörte Sprachnachrichten",
        "a hundred": "Sie haben | einhundert | neue Sprachnachrichten",
        "a message": "Nachricht Nummer | einundzwanzig | Dringend. | Sprachnachricht | von | "
        "null | drei | null | fünf | fünf | fünf | null | eingegangen | heute | um neun Uhr | "
        "fünf | Dauer: | eine Minute | und | eine Sekunde",
        "on a weekday": "eingegangen | am Montag | um null Uhr | einundzwanzig",
        "last year": "eingegangen | am einunddreißigsten | Dezember | zweitausend | "
        "fünfundzwanzig | um dreiundzwanzig Uhr | neunundfünfzig",
        "yesterday": "eingegangen | gestern | um dreizehn Uhr",
        "half an hour": "Dauer: | dreißig | Minuten | und | einundzwanzig | Sekunden",
        "a second": "Dauer: | eine Sekunde",
        "a vacation": "Profil Urlaub | ist aktiv. | Es endet | am ersten | April",
        "a menu": "Für das Durchstellen | drücken Sie die | sieben | Um zurückzugehen | "
        "drücken Sie die | Sterntaste",
        "a transfer": "Anrufer werden durchgestellt zur Nummer | plus | vier | neun | drei | null",
        "a new PIN": "Bitte geben Sie eine neue PIN ein. Sie braucht mindestens | sechs | "
        "Ziffern. Drücken Sie danach die Rautetaste.",
        "a conference": "Anzahl der Teilnehmer: | einundzwanzig",
        "a large number": "einhundert | ein | tausend | eins",
    },
    "fr": {
        "nothing": "Dans votre messagerie | aucun nouveau message vocal",
        "one and two": "Dans votre messagerie | un nouveau message vocal | et | deux | "
        "autres nouveaux messages",
        "twenty-one": "Dans votre messagerie | vingt et un | messages vocaux déjà écoutés",
        "a hundred": "Dans votre messagerie | cent | nouveaux messages vocaux",
        "a message": "Message numéro | vingt et un | Urgent. | message vocal | du numéro | "
        "zéro | trois | zéro | cinq | cinq | cinq | zéro | reçu | aujourd'hui | à neuf heures | "
        "cinq | Durée : | une minute | et | une seconde",
        "on a weekday": "reçu | lundi | à zéro heure | vingt et une",
        "last year": "reçu | le trente et un | décembre | deux mille | vingt-cinq | "
        "à vingt-trois heures | cinquante-neuf",
        "yesterday": "reçu | hier | à treize heures",
        "half an hour": "Durée : | trente | minutes | et | vingt et une | secondes",
        "a second": "Durée : | une seconde",
        "a vacation": "Profil vacances | est actif. | Il se termine | le premier | avril",
        "a menu": "Pour le transfert d'appel | tapez | sept | Pour revenir en arrière | "
        "tapez | étoile",
        "a transfer": "La destination du transfert est le | plus | quatre | neuf | trois | zéro",
        "a new PIN": "Veuillez composer un nouveau code secret d'au moins | six | "
        "chiffres, suivi de la touche dièse.",
        "a conference": "Nombre de participants : | vingt et un",
        "a large number": "cent | un | mille | un",
    },
}


@pytest.mark.parametrize("code", languages())
def test_sentences_are_said_as_people_say_them(code: str) -> None:
    said = {name: words_of(code, sentence) for name, sentence in SENTENCES.items()}
    assert said == EXPECTED[code]
