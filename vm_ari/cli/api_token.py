"""``vm-ari api-token``: tokens with which programs use the JSON API in a user's name."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from vm_ari.cli.completing import user_ids
from vm_ari.cli.opening import (
    FAILED,
    UNREACHABLE,
    config_option,
    configured,
    fail,
    on_users,
    output_option,
)

if TYPE_CHECKING:
    from vm_ari.domain.api_tokens import ApiToken, Scope
    from vm_ari.services.api_tokens import ApiTokens
    from vm_ari.services.users import Users

T = TypeVar("T")

COLUMNS = ("id", "user", "name", "scope", "made", "ends", "used")
_MINUTES = "%Y-%m-%d %H:%M"


@click.group(name="api-token")
def api_token() -> None:
    """Tokens with which programs use the JSON API in a user's name."""


@api_token.command()
@config_option
@click.argument("user", shell_complete=user_ids)
@click.option("--name", required=True, help="What it is for, such as “backup script”.")
@click.option(
    "--scope",
    "reach",
    type=click.Choice(["me", "admin", "operator"]),
    default="me",
    show_default=True,
    help="The own mailbox, users of an organisation, or all that the user may do.",
)
@click.option("--organisation", default="", metavar="ID", help="With --scope admin: whose users.")
@click.option("--read-only", is_flag=True, help="It changes nothing.")
@click.option("--days", type=int, default=90, show_default=True, help="How long it is good.")
def create(
    path: Path, user: str, name: str, reach: str, organisation: str, read_only: bool, days: int
) -> None:
    """Make a token for USER and print it; it cannot be shown again.

    It never can do more than the user may do at the time of use.
    """
    from vm_ari.domain.api_tokens import BadToken, Reach, Scope

    if (reach == "admin") != bool(organisation):
        fail("--scope admin needs --organisation, and only that scope has one.", FAILED)
    scope = Scope(Reach(reach), organisation, read_only)

    async def story(desk: "Users", tokens: "ApiTokens") -> "tuple[str, ApiToken]":
        await _must_be_there(desk, scope)
        return await tokens.make((await desk.find(user)).id, name, scope, days)

    try:
        text, token = _on_tokens(path, story)
    except BadToken as error:
        fail(error, FAILED)
    click.echo(text)
    end = token.ends.strftime(_MINUTES)
    click.echo(f"{token.user_id}: good for “{scope.words}” until {end} UTC", err=True)


@api_token.command(name="list")
@config_option
@output_option
@click.argument("user", required=False, shell_complete=user_ids)
def show(path: Path, form: str, user: str | None) -> None:
    """The tokens of USER, or of everybody; times are UTC."""
    from vm_ari.cli.output import write

    async def story(desk: "Users", tokens: "ApiTokens") -> list[dict[str, object]]:
        found = await (tokens.of((await desk.find(user)).id) if user else tokens.all())
        return [_row(one) for one in found]

    write(_on_tokens(path, story), COLUMNS, form)


@api_token.command()
@config_option
@click.argument("ids", nargs=-1, metavar="[TOKEN-ID]...")
@click.option("--all-of", "owner", metavar="USER", help="All tokens of this user.")
def revoke(path: Path, ids: tuple[str, ...], owner: str | None) -> None:
    """End tokens at once, by the ids that “list” shows.

    Ends with 1 if one of them is not there.
    """
    if not ids and not owner:
        fail("Name the ids of tokens, or --all-of a user.", FAILED)

    async def story(_desk: "Users", tokens: "ApiTokens") -> tuple[list[str], list[str]]:
        there = {one.id: one.user_id for one in await tokens.all()}
        wanted = [*ids, *(key for key, of in there.items() if of == owner)]
        found = [one for one in wanted if one in there]
        gone = [one for one in found if await tokens.revoke(there[one], one)]
        return gone, [one for one in wanted if one not in gone]

    gone, missing = _on_tokens(path, story)
    for token_id in gone:
        click.echo(f"{token_id}: revoked")
    if missing:
        fail(f"There is no token {', '.join(missing)}.", FAILED)


def end_tokens(path: Path, user_ids_gone: Sequence[str]) -> None:
    """Of users who were removed: whoever gets such an id later has none of these tokens."""

    async def story(_desk: "Users", tokens: "ApiTokens") -> None:
        for user_id in user_ids_gone:
            await tokens.end_all(user_id)

    _on_tokens(path, story)


async def _must_be_there(desk: "Users", scope: "Scope") -> None:
    """Raises `BadToken` for an organisation that nobody knows."""
    from vm_ari.domain.api_tokens import BadToken

    if scope.organisation and await desk.organisation(scope.organisation) is None:
        raise BadToken(f"There is no organisation {scope.organisation[:60]}.")


def _on_tokens(path: Path, story: "Callable[[Users, ApiTokens], Awaitable[T]]") -> T:
    """Run a story; an error ends the program with its exit code."""
    from vm_ari.adapters.system_clock import SystemClock
    from vm_ari.ports import PortalUnavailable
    from vm_ari.services.api_tokens import ApiTokens
    from vm_ari.wiring.api import open_tokens

    async def run(desk: "Users") -> T:
        rows = open_tokens(configured(path))
        try:
            return await story(desk, ApiTokens(rows, SystemClock()))
        finally:
            await rows.close()

    try:
        return on_users(path, run)
    except PortalUnavailable as error:
        fail(error, UNREACHABLE)


def _row(token: "ApiToken") -> dict[str, object]:
    return {
        "id": token.id,
        "user": token.user_id,
        "name": token.name,
        "scope": token.scope.words,
        "made": token.made.strftime(_MINUTES),
        "ends": token.ends.strftime(_MINUTES),
        "used": token.used.strftime(_MINUTES) if token.used else "never",
    }
