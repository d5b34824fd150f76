"""Welcome mails of two controllers that share a real directory server."""

import asyncio
from pathlib import Path

import pytest

from tests.adapters.ldap_people import PEOPLE, UserDirectory, on_ldap, person, settings_of, unit
from tests.services.welcome_node import SteppingClock
from tests.slapd import slapd
from vm_ari.adapters.ldap.raw_attributes import LdapAttributes
from vm_ari.adapters.mail_queue import MailQueue
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.store_mailer import StoreMailer
from vm_ari.adapters.system_mail import Sender, SystemMailWriter
from vm_ari.adapters.templates import MailTemplates
from vm_ari.config import shared_files
from vm_ari.domain.numbers import Site
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.welcome import WelcomeRules
from vm_ari.services.system_mails import SystemMails
from vm_ari.services.welcome import Outcome, WelcomeMails

NAMES = [f"u{n:02}" for n in range(10)]


def node(base: Path, name: str, directory: UserDirectory) -> WelcomeMails:
    templates = MailTemplates(shared_files() / "templates")
    writer = SystemMailWriter(templates, Sender("v@example.org"), Site(), lambda *_: b"%PDF")
    queue, clock = MailQueue(base / name, KeyRing(base / "keys")), SteppingClock()
    post = SystemMails(queue, StoreMailer(base / "mail"), writer, clock, host="example.org")
    rules, attributes = WelcomeRules(enabled=True), LdapAttributes(directory)
    return WelcomeMails(directory, directory, attributes, post, clock, rules)


@pytest.mark.feature_part("WELCOME-01", "one mail, whichever node the first calls come to")
def test_of_many_calls_to_two_nodes_one_sends_the_mail(tmp_path: Path) -> None:
    with slapd(unit("people") + "".join(map(person, NAMES))) as server:
        settings = settings_of(server, bases=(PEOPLE,))

        async def story(directory: UserDirectory) -> None:
            other = UserDirectory(settings, KeyRing(tmp_path / "keys"))
            nodes = [node(tmp_path, "one", directory), node(tmp_path, "two", other)]
            users = [await directory.user_by_id(name) for name in NAMES]
            calls = [each.send(user) for user in users if user for each in nodes * 2]
            outcomes = await asyncio.gather(*calls)
            assert len(outcomes) == 4 * len(NAMES)
            assert outcomes.count(Outcome.QUEUED) == len(NAMES)
            names: list[str] = []
            for each in nodes:
                assert not list(await each.post.letters.prepared())
                for letter_id, _tries in await each.post.letters.waiting():
                    letter = await each.post.letters.letter(letter_id)
                    assert letter
                    names.append(letter.recipient.user_id)
                    state = await other.login_state(letter.recipient.user_id)
                    assert f"PIN: {state.pin}".encode() in letter.content
                    check = await directory.check_pin(letter.recipient.user_id, state.pin)
                    assert check is PinCheck.RIGHT
            assert sorted(names) == NAMES
            await other.close()

        on_ldap(settings, tmp_path / "keys", story)
