"""The command line: heavy imports happen inside the commands, so that TAB answers at once."""

import importlib

import click

COMMANDS = {
    "run": "vm_ari.cli.run:run",
    "demo": "vm_ari.cli.demo:demo",
    "prompts": "vm_ari.cli.prompts:prompts",
}


class LazyGroup(click.Group):
    """Sub-commands by name; their modules are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in alphabetical order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.command(cls=LazyGroup)
@click.version_option(package_name="vm-ari", prog_name="vm-ari")
def main() -> None:
    """Voicemail and remote inquiry for Asterisk."""
