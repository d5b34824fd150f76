"""The wizard's first step: Asterisk, found by its own files, or asked for."""

import asyncio
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from vm_ari.adapters.ari.errors import AriError, AriUnavailable
from vm_ari.adapters.asterisk_conf.reading import NotConfigurable, Site
from vm_ari.adapters.examination.asterisk import client_of
from vm_ari.adapters.findings import Finding
from vm_ari.config import BadConfig
from vm_ari.setup_wizard.draft import Draft
from vm_ari.setup_wizard.talk import Question, Talk
from vm_ari.setup_wizard.trials import tried
from vm_ari.wiring.asterisk import asterisk_address
from vm_ari.wiring.check import Part

_YES = {"yes", "true", "1", "on"}
_USER = "vm-ari"
_READING = 10.0
"""Seconds for reading configuration files."""


@dataclass(frozen=True)
class Account:
    """A user of ari.conf whose password can be read, and who may write."""

    user: str
    password: str


@dataclass(frozen=True)
class Found:
    """What Asterisk's files say; empty where they cannot be read."""

    url: str = ""
    account: Account | None = None
    recordings: Path | None = None
    problems: tuple[str, ...] = ()
    """What is switched off there."""
    writable: bool = False


def find(directory: Path, known_user: str = "") -> Found:
    """Read http.conf, ari.conf and asterisk.conf; blocking."""
    site = Site(directory.absolute())
    try:
        if site.content("http.conf") is None and site.content("ari.conf") is None:
            return Found()
        problems = [
            f"{name} does not say “enabled = yes”"
            for name in ("http.conf", "ari.conf")
            if (site.value(name, "general", "enabled") or "").lower() not in _YES
            and not (name == "ari.conf" and site.value(name, "general", "enabled") is None)
        ]
        return Found(
            site.http_url(),
            _account(site, known_user or _USER),
            site.recordings(),
            tuple(problems),
            os.access(directory, os.W_OK),
        )
    except NotConfigurable:
        return Found()


def _account(site: Site, wanted: str) -> Account | None:
    """The user of that name, else the only one."""
    users: dict[str, dict[str, str]] = {}
    for one in site.says("ari.conf"):
        if one.section and one.section != "general" and one.included is None:
            users.setdefault(one.section, {})[one.key] = one.value
    usable = {
        name: says["password"]
        for name, says in users.items()
        if says.get("type", "user") == "user"
        and says.get("password")
        and says.get("password_format", "plain") == "plain"
        and says.get("read_only", "no").lower() not in _YES
    }
    name = wanted if wanted in usable else next(iter(usable), "") if len(usable) == 1 else ""
    return Account(name, usable[name]) if name else None


class AsteriskStep:
    """Where it is, and who we are there; asked only as far as its files do not say."""

    def __init__(self, talk: Talk, draft: Draft, directory: Path) -> None:
        self._talk, self._draft, self._directory = talk, draft, directory
        self._found = find(directory, draft.get("asterisk.user"))
        self._asked_once = False
        self.installs = False
        """Shall our files be put into Asterisk's configuration at the end?"""

    def run(self) -> None:
        """Ask what is missing, and try it. Raises `Stopped`."""
        talk, found = self._talk, self._found
        talk.heading("Asterisk")
        if found.url:
            talk.found(f"its REST interface: {found.url} ({self._directory}/http.conf)")
        if found.recordings:
            self._draft.put("spool.directory", str(found.recordings))
            talk.found(f"recordings go to {found.recordings}")
        talk.until_good("asterisk", self._ask, self._works)

    def works_now(self) -> bool:
        """After our files were put there: Asterisk takes a moment to read them."""
        end = time.monotonic() + _READING
        while time.monotonic() < end and not answers_there(self._draft):
            time.sleep(0.2)
        return tried(self._talk, self._draft, [Part.ASTERISK], of_interest=_at_this_time)

    def _ask(self) -> None:
        known = self._draft.get("asterisk.password")
        known_url = self._draft.get("asterisk.url") or self._found.url
        account = self._found.account
        if not self._asked_once and not known and account:
            self._talk.found(f"our account there: {account.user} (ari.conf)")
            self._put(self._found.url, account.user, account.password)
        elif not self._asked_once and known and known_url:
            self._talk.found("our account there is known already")
            self._put(known_url, "", "")
        elif not self._asked_once and self._found.writable and self._wants_account():
            password = secrets.token_urlsafe(24)
            self._put(self._found.url, self._draft.get("asterisk.user", _USER), password)
            self.installs = True
        else:
            self._ask_for_account()
        self._asked_once = True

    def _wants_account(self) -> bool:
        """A new account makes no difference to what is there."""
        words = f"Put an account and the dialplan of ours into {self._directory} at the end?"
        return self._talk.agrees("asterisk.install", words, default=True, unattended=True)

    def _ask_for_account(self) -> None:
        for problem in self._found.problems:  # ours would say so, too
            advice = "Say so there, and restart Asterisk."
            self._talk.bad(f"{self._directory}: {problem}.", advice)
        url = self._draft.get("asterisk.url") or self._found.url or "http://127.0.0.1:8088"
        talk = self._talk
        self._put(
            talk.ask(
                Question("asterisk.url", "Address of Asterisk's HTTP server", url, check=_url)
            ),
            talk.ask(
                Question(
                    "asterisk.user",
                    "User of ari.conf",
                    self._draft.get("asterisk.user", _USER),
                    more="One that may write: read_only = no. vm-ari asterisk install-config "
                    "makes one.",
                )
            ),
            talk.ask(
                Question(
                    "asterisk.password",
                    "Its password",
                    self._draft.get("asterisk.password") or None,
                    secret=True,
                )
            ),
        )
        self.installs = False

    def _put(self, url: str, user: str, password: str) -> None:
        self._draft.put("asterisk.url", url)
        if user:
            self._draft.put("asterisk.user", user)
        if password:
            self._draft.values.setdefault("asterisk", {})["password"] = password

    def _works(self) -> bool:
        if self.installs:
            self._talk.say("  It is tried when our account is there.")
            return True
        well = tried(self._talk, self._draft, [Part.ASTERISK], of_interest=_at_this_time)
        return well or self._lacks_only_dialplan()

    def _lacks_only_dialplan(self) -> bool:
        """That can be mended at the end."""
        only = len(self._talk.problems) == 1 and "dialplan" in self._talk.problems[0]
        if not only or not self._found.writable:
            return False
        words = f"Put our dialplan into {self._directory} at the end?"
        self.installs = self._talk.agrees("asterisk.install", words, default=True, unattended=True)
        return self.installs


def answers_there(draft: Draft) -> bool:
    """Does the REST interface know us?"""

    async def ask() -> bool:
        try:
            async with client_of(asterisk_address(draft.config())) as client:
                await client.asterisk.ping()
        except (AriError, AriUnavailable, BadConfig):
            return False
        return True

    return asyncio.run(ask())


def _at_this_time(finding: Finding) -> bool:
    """That no controller runs is no news."""
    return not finding.text.startswith("No controller")


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("Write http://host:port, as in http.conf.")
    return text.rstrip("/")
