"""What in a mail is not its writer's own: earlier messages, and the signature below."""

import re
from collections.abc import Sequence

LONGEST_SIGNATURE = 25
"""Lines; what is longer is no signature."""
_QUOTED = re.compile(r"\s{0,3}>")
_FORWARDED = re.compile(
    r"[-\s>]*(?:begin )?(?:forwarded message|weitergeleitete nachricht|message transféré|"
    r"message réexpédié|début du message (?:réexpédié|transféré))",
    re.IGNORECASE,
)
_ORIGINAL = re.compile(
    r"\s*-+\s?(?:original message|original appointment|ursprüngliche nachricht|"
    r"originalnachricht|message d'origine|message original|oorspronkelijk bericht)\s?-+",
    re.IGNORECASE,
)
_FROM = re.compile(r"\s*\*?(?:from|von|de|van)\s?:\*?\s", re.IGNORECASE)
_HEADER = re.compile(
    r"\s*\*?(?:from|von|de|van|sent|gesendet|envoyé|date|datum|to|an|à|cc|subject|betreff|objet|"
    r"verzonden|aan|onderwerp)\s?:\*?(?:\s|$)",
    re.IGNORECASE,
)
_ATTRIBUTION = re.compile(
    r"(?:on|am|le|op|il|el|den)\s.{0,300}(?:wrote|schrieb|a écrit|schreef|ha scritto|escribió|"
    r"skrev).{0,120}:\s*$",
    re.IGNORECASE,
)
_BARE_ATTRIBUTION = re.compile(
    r".{1,200}(?:wrote|schrieb|writes|schreibt|a écrit)\s?:\s*$", re.IGNORECASE
)
_DEVICE = re.compile(
    r"\s*(?:sent from my|sent from outlook|get outlook for|von meinem \w+ gesendet|gesendet von|"
    r"diese nachricht wurde von meinem|envoyé de mon|envoyé depuis|envoyé à partir d|"
    r"télécharger outlook|verstuurd vanaf)",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"\s*(?:(?:mit )?(?:freundlich|best|lieb|viel|herzlich|schön)\w* (?:grüße|grüßen|gruß|gruss|"
    r"grüsse|grüssen)|mfg|vg|lg|(?:kind|best|warm|many)?\s?regards|best wishes|sincerely|cheers|"
    r"yours (?:sincerely|faithfully|truly)|many thanks|thanks|cordialement|bien cordialement|"
    r"cordiales salutations|meilleures salutations|bien à vous)\b.{0,30}$",
    re.IGNORECASE,
)
_CONTACT = re.compile(
    r"(?:\b(?:tel|phone|fon|fax|mobile?|mobil|mob|telefon|tél|téléphone)\b\s?\.?\s?[:+(\d])|"
    r"\bwww\.|https?://|[\w.+-]{1,64}@[\w-]{1,63}\.|\bHR[AB]\b|Amtsgericht|Geschäftsführ|"
    r"\bRegistered\b|\bUSt-?Id|\bSIRET\b|\b[A-Z]?\d{4,5} [A-Z]|\b(?:GmbH|AG|Ltd|Inc|SARL)\b",
    re.IGNORECASE,
)

_DISCLAIMER = re.compile(
    r"\W{0,5}(?:this e-?mail|this message|the information|the contents|diese e-?mail|"
    r"diese nachricht|ce message|ce courriel|ce mail).{0,200}"
    r"(?:confidential|intended (?:only|solely)|privileged|vertraulich|adressat|confidentiel)",
    re.IGNORECASE,
)


def is_quoted(line: str) -> bool:
    """Does another message's text stand in it?"""
    return _QUOTED.match(line) is not None


def unquoted(line: str) -> str:
    """Without the marks before it."""
    return re.sub(r"^[\s>]+", "", line)


def without_history(lines: Sequence[str]) -> tuple[list[str], bool]:
    """What stands before the earlier message, and whether there was one.

    Quotes with an answer below them stay. Of a forwarded message nothing is cut, it is the
    message.
    """
    kept = list(lines)
    forwarded = next((at for at, line in enumerate(kept) if _FORWARDED.match(line)), None)
    if forwarded is not None:
        return kept[:forwarded] + _forwarded(kept[forwarded + 1 :]), False
    start = next((at for at in range(len(kept)) if _begins_history(kept, at)), None)
    if start is not None:
        del kept[start:]
    quoted = start is not None
    while kept and (not kept[-1].strip() or is_quoted(kept[-1])):
        quoted |= is_quoted(kept.pop())
    attribution = _attribution(kept)
    if attribution:
        del kept[-attribution:]
    return kept, quoted or attribution > 0


def _begins_history(lines: Sequence[str], at: int) -> bool:
    """A line "Original Message", or the header of one: From, Sent, To, Subject."""
    if _ORIGINAL.match(lines[at]):
        return True
    if not _FROM.match(lines[at]):
        return False
    following = [line for line in lines[at + 1 : at + 8] if line.strip()][:4]
    return sum(_HEADER.match(line) is not None for line in following) >= 2


def _forwarded(lines: Sequence[str]) -> list[str]:
    """Without most of its header."""
    kept = [unquoted(line) if is_quoted(line) else line for line in lines]
    header = [at for at, line in enumerate(kept[:12]) if _HEADER.match(line)]
    return ["", *kept[header[-1] + 1 :]] if header else kept


def _attribution(lines: Sequence[str]) -> int:
    """How many lines at the end say who wrote what is quoted below them, at most three."""
    for count in (1, 2, 3):
        # a blank line divides it from the text, or it would take the text along
        last = lines[-count:]
        if len(last) < count or not all(line.strip() for line in last):
            break
        if _ATTRIBUTION.match(" ".join(line.strip() for line in last)[:600]):
            return count
    return int(bool(lines) and _BARE_ATTRIBUTION.match(lines[-1][:600]) is not None)


def without_signature(lines: Sequence[str]) -> list[str]:
    """What stands before "-- ", the name of a device, or the contact data below the greeting."""
    kept = _without_disclaimer(lines)
    first = max(0, len(kept) - LONGEST_SIGNATURE)
    for at in range(first, len(kept)):
        if kept[at].rstrip() == "--" or _DEVICE.match(kept[at]):
            return kept[:at]
        if _CLOSING.match(kept[at]):
            return kept[:at] + _closing(kept[at:])
    return kept


def _without_disclaimer(lines: Sequence[str]) -> list[str]:
    """Without what a company puts below all of its mails, if something stands before it."""
    begun = False
    for at in range(len(lines)):
        wrapped = " ".join(lines[at : at + 3])[:400]
        if begun and _DISCLAIMER.match(wrapped):
            return list(lines[:at])
        begun |= bool(lines[at].strip())
    return list(lines)


def _closing(lines: Sequence[str]) -> list[str]:
    """The greeting and the name; the rest only if it says something else than where to call."""
    said = [at for at, line in enumerate(lines) if line.strip()][:2]
    end = said[-1] + 1
    rest = [line for line in lines[end:] if line.strip()]
    contact = any(_CONTACT.search(line[:500]) for line in rest)
    return list(lines[:end] if contact else lines)
