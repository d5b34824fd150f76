"""What the tables of things that users send have in common: pauses, dialling rules, mails."""

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, TypeVar

from pydantic import AfterValidator

from vm_ari.domain.dialling import BadRule, DiallingRules, parse_rule
from vm_ari.domain.number_addresses import BadAddressTemplate, parse
from vm_ari.domain.numbers import Site

Cause = TypeVar("Cause")
LONGEST_PAUSE = 24 * 60.0


def _possible_pauses(given: tuple[float, ...]) -> tuple[float, ...]:
    if len(given) > 20 or not all(0 <= minutes <= LONGEST_PAUSE for minutes in given):
        raise ValueError("write up to 20 pauses in minutes, each a day at most: [2, 5, 10]")
    return given


def _an_address_template(text: str) -> str:
    try:
        if text:
            parse(text)
    except BadAddressTemplate as error:
        raise ValueError(str(error)) from None
    return text


def _networks(given: tuple[str, ...]) -> tuple[str, ...]:
    for text in given:
        network_of(text)
    return given


Minutes = Annotated[tuple[float, ...], AfterValidator(_possible_pauses)]
AddressTemplate = Annotated[str, AfterValidator(_an_address_template)]
"""Of mail addresses that stand for numbers; empty: none."""
Networks = Annotated[tuple[str, ...], AfterValidator(_networks)]


def network_of(text: str) -> IPv4Network | IPv6Network:
    """A host or a network. Raises ValueError."""
    try:
        return ip_network(text)
    except ValueError as error:
        raise ValueError(f"“{text[:60]}”: {error}; write 192.0.2.25 or 192.0.2.0/24") from None


def pauses_of(minutes: Mapping[Cause, tuple[float, ...]]) -> Mapping[Cause, list[timedelta]]:
    """The same as lengths of time."""
    return {cause: [timedelta(minutes=one) for one in each] for cause, each in minutes.items()}


def dialling_by(
    rules: tuple[str, ...] | None, otherwise: DiallingRules, site: Site, where: str
) -> DiallingRules:
    """Rules of a table of its own, named *where*. Raises ValueError for one that is none."""
    if rules is None:
        return otherwise
    found = []
    for position, text in enumerate(rules, start=1):
        try:
            found.append(parse_rule(text, site))
        except BadRule as error:
            raise ValueError(f"{where}, rule {position}: {error}") from None
    return DiallingRules(tuple(found))
