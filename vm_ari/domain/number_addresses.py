"""Mail addresses that stand for telephone numbers, by template (MAIL-06).

A gateway of the site takes mails to ``+4930555101@fax.example.org`` and sends a fax: the template
is ``$(phonenumber)@$(addrtype).example.org``. The same kind of template, read the other way, tells
the number of somebody whose fax or SMS came by mail.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

from vm_ari.domain.callers import printable
from vm_ari.domain.numbers import Site, dialable, normalise

LONGEST_ADDRESS = 254
_FIELD = re.compile(r"\$[({]([A-Za-z]{1,20})[)}]")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"(?=.{{1,64}}@){_ATOM}(\.{_ATOM})*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_PATTERNS = {"phonenumber": r"(?P<number>\+?[0-9]{1,20})", "addrtype": r"(?P<kind>[A-Za-z]{1,20})"}
_SHORTEST_INTERNATIONAL = 7
"""Digits of a whole number; shorter ones are extensions."""


class BadAddressTemplate(ValueError):
    """A template has a mistake. The text names it, and what is possible."""


class NumberForm(StrEnum):
    """How a number is written in an address."""

    E164 = "e164"
    """``+4930555101``"""
    DIGITS = "digits"
    """``4930555101``"""
    NATIONAL = "national"
    """As a telephone of the country dials it: ``030555101``, ``0033140205050``."""


@dataclass(frozen=True)
class NumberAddress:
    """A template that has been understood (`parse`)."""

    text: str
    form: NumberForm = NumberForm.E164

    def address(self, number: str, kind: str, site: Site) -> str:
        """Where a mail to that number goes; *number* is a clean one, *kind* such as ``fax``."""
        values = {"phonenumber": _written(number, self.form, site), "addrtype": kind}
        return _FIELD.sub(lambda found: values[found[1]], self.text)

    def number_in(self, address: str, site: Site) -> tuple[str, str] | None:
        """The number, and the kind where the template tells it (else empty); None: it is another.

        Whoever writes a mail chooses its sender: the number is a claim.
        """
        if len(address) > LONGEST_ADDRESS:
            return None
        found = _pattern(self.text).fullmatch(address)
        number = _read(found["number"], self.form, site) if found else None
        if found is None or number is None:
            return None
        return number, found.groupdict().get("kind", "").lower()


def parse(text: str, form: NumberForm = NumberForm.E164) -> NumberAddress:
    """Understand a template. Raises `BadAddressTemplate`."""
    names = _FIELD.findall(text)
    for name in names:
        if name not in _PATTERNS:
            raise BadAddressTemplate(
                f"there is no $({name}); there are $(phonenumber) and $(addrtype)"
            )
    if sorted(names) not in (["phonenumber"], ["addrtype", "phonenumber"]):
        raise BadAddressTemplate(
            f"“{printable(text)}”: $(phonenumber) must be in it once, $(addrtype) at most once"
        )
    template = NumberAddress(text, form)
    if not _ADDRESS.fullmatch(template.address("+4930555101", "voice", Site())):
        raise BadAddressTemplate(
            f"“{printable(text)}” makes no mail address; write such as "
            "$(phonenumber)@$(addrtype).example.org"
        )
    return template


def _written(number: str, form: NumberForm, site: Site) -> str:
    match form:
        case NumberForm.E164:
            return number
        case NumberForm.DIGITS:
            return number.removeprefix("+")
        case NumberForm.NATIONAL:
            return dialable(number, _anywhere(site))


def _read(text: str, form: NumberForm, site: Site) -> str | None:
    """The clean number; one with ``+`` is understood in every form."""
    if text.startswith("+"):
        return normalise(text, site)
    match form:
        case NumberForm.DIGITS if len(text) >= _SHORTEST_INTERNATIONAL:
            return normalise(f"+{text}", site)
        case NumberForm.NATIONAL if len(text) > site.longest_extension:
            return normalise(text, _anywhere(site))
    return normalise(text, site)


def _anywhere(site: Site) -> Site:
    """The country alone: a mail address knows neither an outside line nor an area."""
    return replace(site, base_number="", outside_prefix="", area="")


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """Domains and kinds in any case, as mail servers take them."""
    pieces, end = [], 0
    for found in _FIELD.finditer(text):
        pieces += [re.escape(text[end : found.start()]), _PATTERNS[found[1]]]
        end = found.end()
    return re.compile("".join(pieces) + re.escape(text[end:]), re.IGNORECASE | re.ASCII)
