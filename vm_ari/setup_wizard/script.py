"""The wizard from the first question to the message that was heard."""

import asyncio
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from vm_ari.config import BadConfig, load
from vm_ari.config.document import BadChange, replace
from vm_ari.domain.entries import Entry
from vm_ari.services.users import new_pin
from vm_ari.setup_wizard.asterisk import AsteriskStep
from vm_ari.setup_wizard.controller import controller
from vm_ari.setup_wizard.draft import STATE, Draft, kept_at
from vm_ari.setup_wizard.mails import ask_mails
from vm_ari.setup_wizard.messages import ask_messages
from vm_ari.setup_wizard.portal import ask_portal
from vm_ari.setup_wizard.site import ask_site
from vm_ari.setup_wizard.surroundings import look_around, service_account
from vm_ari.setup_wizard.talk import Question, Stopped, Talk
from vm_ari.setup_wizard.test_line import CallFailed
from vm_ari.setup_wizard.trial_call import Trial
from vm_ari.setup_wizard.users import FirstUser, ask_users

STYLES: Mapping[str, str] = {
    "small": "a small one: users and messages here, everything else as it is usual",
    "each": "ask for each part: directory servers, mail servers, …",
}
_MODE = 0o600


@dataclass(frozen=True)
class Place:
    """Where the wizard reads and writes."""

    config: Path
    asterisk: Path
    """Asterisk's configuration directory."""
    environ: Mapping[str, str]
    install: Callable[[], bool]
    """Puts our files into Asterisk's configuration."""
    add_user: Callable[[Entry, str], None]
    """Adds a user with a PIN, by the configuration that was written."""


class Wizard:
    """All steps, one after the other; nothing is written before the last question."""

    def __init__(self, talk: Talk, place: Place) -> None:
        """Raises `BadConfig` for a configuration that cannot be read."""
        self._talk, self._place = talk, place
        self._draft = Draft(place.config)
        self._around = look_around(place.environ)
        self._first: FirstUser | None = None
        self._asterisk = AsteriskStep(talk, self._draft, place.asterisk)

    def run(self) -> bool:
        """Ask, write, try; is all well? Raises `Stopped`."""
        self._talk.say("vm-ari init: Enter takes what is shown; Ctrl-C ends it, nothing written.")
        if self._draft.before:
            self._talk.found(f"{self._place.config} is there: its values are shown as defaults")
        self._asterisk.run()
        self._ask()
        self._judge()
        self._write()
        pin = self._make_first_user()
        if self._asterisk.installs:
            self._talk.heading("Our files for Asterisk")
            self._talk.begin()
            if not (self._place.install() and self._asterisk.works_now()):
                talk = self._talk
                talk.say("  vm-ari check says what is missing; vm-ari init may be run again.")
                return False
        return self._try(pin)

    def _ask(self) -> None:
        talk, draft, around = self._talk, self._draft, self._around
        self._keep_state()
        ask_site(talk, draft, around, self._place.environ)
        talk.heading("Kind of installation")
        usual = "each" if draft.before else "small"
        small = talk.ask(Question("style", "How shall it be?", usual, STYLES)) == "small"
        self._first = ask_users(talk, draft, around, "embedded" if small else "")
        people = self._people()
        ask_messages(talk, draft, around, people, "local" if small else "")
        mail = self._first.mail if self._first else ""
        ask_mails(talk, draft, around, to=mail, ask=not small)
        if small:
            draft.put("web.enabled", draft.get("web.enabled") == "True" or None)
        else:
            ask_portal(talk, draft, around)

    def _keep_state(self) -> None:
        """Who is not root keeps everything beside the configuration."""
        if os.geteuid() == 0 and self._place.config.parent == Path("/etc/vm-ari"):
            return
        known = self._draft.get("directory.keys")
        usual = Path(known).parent if known else self._place.config.parent.absolute() / "data"
        question = Question("state.directory", "Where may vm-ari keep its data?", str(usual))
        place = Path(self._talk.ask(question)).expanduser().absolute()
        if place != STATE:
            for key, value in kept_at(place).items():
                self._draft.put(key, value)

    def _people(self) -> Sequence[Entry]:
        base = self._draft.get("site.base_number")
        return [self._first.entry(base)] if self._first else []

    def _judge(self) -> None:
        """What single steps cannot see. Raises `Stopped`."""
        try:
            self._draft.config()
        except BadConfig as error:
            raise Stopped(f"This cannot be used, and nothing is written:\n{error}") from None

    def _write(self) -> None:
        """Keep the old file, write the new one in one step, and make the directories."""
        talk, path = self._talk, self._place.config
        talk.heading("Configuration")
        if self._draft.before and self._draft.text() == self._draft.before:
            talk.good(f"{path} stays as it is.")
            return
        words = f"Write {path}?"
        if not talk.agrees("write", words, default=True, unattended=True):
            raise Stopped("Nothing is written.")
        try:
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            if self._draft.before:
                talk.good(f"The old one is kept: {_kept(path)}.")
            replace(path, self._draft.text(), was=self._draft.before)
            _belongs_to_service(path)
        except (BadChange, OSError) as error:
            raise Stopped(f"{path} cannot be written: {error}") from None
        talk.good(f"{path} is written, readable by its owner only.")

    def _make_first_user(self) -> str:
        """The PIN of who is new."""
        for entry in self._people():
            pin = new_pin()
            self._place.add_user(entry, pin)
            _give_to_service(STATE)
            self._talk.good(
                f"{entry.name} has mailbox {entry.mailbox} ({entry.numbers[0]}), PIN {pin}: "
                "write it down, it is not shown again."
            )
            return pin
        return ""

    def _try(self, pin: str) -> bool:
        talk = self._talk
        talk.heading("A message, left and heard")
        words = "Leave a message now, and hear it?"
        if not talk.agrees("trial.call", words, default=True, unattended=False):
            self._farewell()
            return True
        number = self._number()
        if not pin:
            question = Question("trial.pin", "PIN of that user", "", secret=True, more=_NO_PIN)
            pin = talk.ask(question)
        path = self._place.config
        config = load(path)

        async def story() -> bool:
            async with controller(talk, config, path):
                return await Trial(talk, config, number, pin).run()

        try:
            well = asyncio.run(story())
        except CallFailed as error:
            talk.bad(f"{error}.")
            well = False
        self._farewell()
        return well

    def _number(self) -> str:
        for entry in self._people():
            return entry.numbers[0]
        return self._talk.ask(Question("trial.number", "Number of a user to call", None))

    def _farewell(self) -> None:
        path = self._place.config
        option = "" if path == Path("/etc/vm-ari/vm-ari.toml") else f" -c {path}"
        self._talk.heading("What comes next")
        steps = {
            f"vm-ari check{option}": "looks at everything",
            f"vm-ari run{option}": "serves calls; as a service: systemctl enable --now vm-ari",
            f"vm-ari users add{option}": "adds users; users import takes them from a table",
        }
        width = max(map(len, steps))
        for command, words in steps.items():
            self._talk.say(f"  {command:<{width}}  {words}")


_NO_PIN = "Empty: the message is left, and not heard."


def _kept(path: Path) -> Path:
    """A copy that only its owner reads."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    copy = path.with_name(f"{path.name}.{stamp}.bak")
    descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, _MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(path.read_bytes())
    shutil.copystat(path, copy)
    copy.chmod(_MODE)
    return copy


def _belongs_to_service(path: Path) -> None:
    """Nobody else reads passwords; the service must."""
    path.chmod(_MODE)
    if account := service_account():
        os.chown(path, account.pw_uid, account.pw_gid)


def _give_to_service(directory: Path) -> None:
    """What root has just made there must be the service's."""
    account = service_account()
    if account is None or not directory.is_dir():
        return
    for path in (directory, *directory.rglob("*")):
        if path.lstat().st_uid == 0:
            group = account.pw_gid if path.lstat().st_gid == 0 else -1  # some are Asterisk's
            os.chown(path, account.pw_uid, group, follow_symlinks=False)
