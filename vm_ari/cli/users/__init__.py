"""``vm-ari users``: who has a mailbox, and how it is set (DIR-07)."""

import click

from vm_ari.cli.users.adding import add, assign, unassign
from vm_ari.cli.users.changing import delete, disable, distribute, enable, set_, unlock
from vm_ari.cli.users.looking import effective, list_, search, show
from vm_ari.cli.users.pins import reset_pin
from vm_ari.cli.users.portal import set_password
from vm_ari.cli.users.transfer import export, import_


@click.group()
def users() -> None:
    """Who has a mailbox, and how it is set.

    A USER is an id, or a number or mailbox in any spelling. USER, -u, --ou and --filter choose
    together: everything that is said must hold. Exit codes: 0 done, 1 refused, 2 wrong usage,
    3 configuration, 4 directory not reachable, 5 done for some users only.
    """


for _command in (
    *(list_, search, show, effective),
    *(add, set_, assign, unassign, enable, disable, unlock, reset_pin, distribute, delete),
    *(export, import_, set_password),
):
    users.add_command(_command)
