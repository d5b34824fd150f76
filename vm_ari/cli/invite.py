"""``vm-ari global-greeting invite``: somebody else records it (GREET-07)."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.greeting_work import language_option, site_owner
from vm_ari.cli.opening import (
    FAILED,
    UNREACHABLE,
    config_option,
    configured,
    directory_of,
    fail,
    on_users,
)

if TYPE_CHECKING:
    from vm_ari.config import Config
    from vm_ari.services.users import Users


@click.command()
@config_option
@language_option
@click.argument("whom")
def invite(path: Path, language: str, whom: str) -> None:
    """Send WHOM, a user or any mail address, a link and an access code to record it.

    The code is good once, for seven days, and for the global greeting in that language only. The
    page is one of the portal; the running controller sends the mail.
    """
    from vm_ari.ports import MailNotQueued, PortalUnavailable
    from vm_ari.services.invitations import NotInvited

    code = site_owner(path, language).language
    config = configured(path)
    if not config.web.enabled:
        fail("The portal is switched off; write enabled = true in [web].", FAILED)
    try:
        address = on_users(path, lambda users: _invited(config, users, whom, code))
    except NotInvited as error:
        fail(error, FAILED)
    except MailNotQueued as error:
        fail(f"The mail cannot be queued: {error}", FAILED)
    except PortalUnavailable as error:
        fail(error, UNREACHABLE)
    click.echo(f"{address}: invited; the running controller sends the mail")


async def _invited(config: "Config", users: "Users", whom: str, language: str) -> str:
    from vm_ari.adapters.sealing import KeyRing
    from vm_ari.adapters.system_clock import SystemClock
    from vm_ari.wiring.invitations import open_invitations
    from vm_ari.wiring.mail import open_post

    register, clock = directory_of(users), SystemClock()
    post = open_post(config, KeyRing(config.directory.keys), clock, register, register)
    invitations = open_invitations(config, register, register, post.mails, clock)
    try:
        return await invitations.service.invite(whom, language)
    finally:
        await invitations.close()
        await post.close()
