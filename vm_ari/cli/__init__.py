"""The command line: heavy imports happen inside the commands, so that TAB answers at once."""

import importlib

import click

COMMANDS = {
    "run": "vm_ari.cli.run:run",
    "web": "vm_ari.cli.web:web",
    "demo": "vm_ari.cli.demo:demo",
    "init": "vm_ari.cli.init:init",
    "prompts": "vm_ari.cli.prompts:prompts",
    "users": "vm_ari.cli.users:users",
    "organisations": "vm_ari.cli.organisations:organisations",
    "welcome": "vm_ari.cli.welcome:welcome",
    "information": "vm_ari.cli.information:information",
    "pin": "vm_ari.cli.pin:pin",
    "keymap": "vm_ari.cli.keymap:keymap",
    "keys": "vm_ari.cli.keys:keys",
    "test": "vm_ari.cli.test:test",
    "explain": "vm_ari.cli.explain:explain",
    "profile": "vm_ari.cli.profile:profile",
    "transfer": "vm_ari.cli.profile:transfer",
    "greeting": "vm_ari.cli.greeting:greeting",
    "global-greeting": "vm_ari.cli.global_greeting:global_greeting",
    "message": "vm_ari.cli.message:message",
    "messages": "vm_ari.cli.message:message",
    "missed-calls": "vm_ari.cli.missed_calls:missed_calls",
    "fax": "vm_ari.cli.fax:fax",
    "speak": "vm_ari.cli.speak:speak",
    "rights": "vm_ari.cli.rights:rights",
    "check": "vm_ari.cli.check:check",
    "config": "vm_ari.cli.config:config",
    "asterisk": "vm_ari.cli.asterisk:asterisk",
    "calls": "vm_ari.cli.calls:calls",
    "conferences": "vm_ari.cli.conferences:conferences",
    "log": "vm_ari.cli.log:log",
    "mwi": "vm_ari.cli.mwi:mwi",
    "notifications": "vm_ari.cli.notifications:notifications",
    "outbox": "vm_ari.cli.outbox:outbox",
    "spool": "vm_ari.cli.outbox:outbox",
    "status": "vm_ari.cli.status:status",
    "backup": "vm_ari.cli.backup:backup",
    "restore": "vm_ari.cli.backup:restore",
    "journal": "vm_ari.cli.journal:journal",
    "schema": "vm_ari.cli.schema:schema",
    "simulate": "vm_ari.cli.simulate:simulate",
    "store": "vm_ari.cli.store:store",
    "api-token": "vm_ari.cli.api_token:api_token",
    "completion": "vm_ari.cli.completion:completion",
}
SUMMARIES = {
    "run": "Serve calls, deliver messages, light lamps, until stopped.",
    "web": "Serve the portal alone, until stopped.",
    "demo": "Try a complete small installation on this machine.",
    "init": "Make a configuration: questions, each answer tried, and a call.",
    "prompts": "The sentences that callers and users hear.",
    "users": "Who has a mailbox, and how it is set.",
    "organisations": "Who shares settings: packages, administrators, agreements.",
    "welcome": "The mail with mailbox number, PIN and guide: sent at a user's first call.",
    "information": "The mail that tells users what their mailbox can do, and reading that out.",
    "pin": "How good the PINs are, and how old they may become.",
    "keymap": "The keys of the telephone menus, and a card with them.",
    "keys": "The keys that seal PINs and passwords.",
    "test": "Try one thing: a call, a mail, a number, a mailbox.",
    "explain": "Which greeting a caller hears, and why.",
    "profile": "Which profile of a user answers calls.",
    "transfer": "Whom callers of a user can be connected to.",
    "greeting": "What callers of a mailbox hear.",
    "global-greeting": "One recording for all mailboxes.",
    "message": "The voice messages of a mailbox, and hearing one on a telephone.",
    "messages": "The same as message.",
    "speak": "Call a number and read a text there.",
    "fax": "Faxes that users send: ordered, listed, cancelled, begun anew.",
    "rights": "What users may send, and how much of it is left today.",
    "missed-calls": "Who was told of missed calls, and why others were not.",
    "check": "Say what is wrong with the connections, and what to do.",
    "config": "What is configured and who says so: shown, checked, changed.",
    "asterisk": "Our files in Asterisk's configuration, and whether everything is right.",
    "calls": "The calls that go on, and ending one.",
    "conferences": "The conferences that go on, deciding about them, and PINs of rooms.",
    "log": "The program's own log, and its level for a while.",
    "mwi": "The message-waiting lamps: what they show, and telling them anew.",
    "notifications": "How users are told of new messages, and resets for all of them.",
    "outbox": "What waits to be delivered, and what was refused for good.",
    "spool": "The same as outbox.",
    "status": "Does it run, since when, and what is on its way.",
    "backup": "Put all that has to be kept into one file, while everything runs.",
    "restore": "Bring a backup back, where nothing is in its way.",
    "journal": "What calls and messages there were: listed, searched, written to a file.",
    "simulate": "Call a number without a telephone: prompts as text, keys typed.",
    "schema": "What a directory server needs to hold settings.",
    "store": "Where messages lie, and moving them to the other store.",
    "api-token": "Tokens with which programs use the JSON API.",
    "completion": "Print the script that lets TAB complete commands.",
}
"""Written down here, so that the list of commands imports none of them."""


class LazyGroup(click.Group):
    """Sub-commands by name; their modules are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in alphabetical order."""
        return sorted(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of ``--help``."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, SUMMARIES[name]) for name in self.list_commands(ctx)])

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
