"""``vm-ari completion``: the script that makes TAB complete commands, options and users."""

import click

from vm_ari.cli.opening import FAILED, fail


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that lets TAB complete commands.

    bash: vm-ari completion bash > /etc/bash_completion.d/vm-ari;
    zsh: vm-ari completion zsh > "${fpath[1]}/_vm-ari";
    fish: vm-ari completion fish > ~/.config/fish/completions/vm-ari.fish
    """
    from click.shell_completion import get_completion_class

    from vm_ari.cli import main

    made = get_completion_class(shell)
    if made is None:
        fail(f"This version of click knows no {shell}.", FAILED)
    click.echo(made(main, {}, "vm-ari", "_VM_ARI_COMPLETE").source())
