"""The name in a message's mail is the directory's where it knows the number (CALL-11)."""

import asyncio
from dataclasses import replace

import pytest

from tests.adapters.mailbox_contract import message
from tests.clock import run_virtually
from tests.recordings import spoken, wav
from tests.services.post import ANNA, BERT, ScriptedDirectory
from vm_ari.domain.callers import Caller
from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.users import User
from vm_ari.services.caller_names import NamedCallers

KNOWN = replace(BERT, numbers=("+4930555102",))


class Shelf:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.kept: list[VoiceMessage] = []

    async def deliver(self, message: VoiceMessage, user: User, *, plain: bool = False) -> None:
        self.kept.append(message)

    async def has(self, message: VoiceMessage, user: User) -> bool:
        return message.facts.id in {one.facts.id for one in self.kept}


class SlowDirectory(ScriptedDirectory):
    """Answers in an hour."""

    async def user_by_number(self, number: str) -> User | None:
        await asyncio.sleep(3600)
        return None


def delivered(
    tmp_path_factory: pytest.TempPathFactory, caller: Caller, directory: ScriptedDirectory
) -> Caller:
    recording = tmp_path_factory.mktemp("r") / "recording.wav"
    recording.write_bytes(wav(spoken(2.5)))
    left = message(recording)
    left = replace(left, facts=replace(left.facts, caller=caller))
    shelf = Shelf()

    async def story() -> None:
        courier = NamedCallers(shelf, directory)
        await courier.deliver(left, ANNA)
        assert await courier.has(left, ANNA)

    run_virtually(story())
    [kept] = shelf.kept
    assert replace(kept, facts=left.facts) == left, "nothing else changes"
    return kept.facts.caller


@pytest.mark.feature_part("CALL-11", "caller's name by directory look-up, else caller name")
@pytest.mark.parametrize(
    ("caller", "name"),
    [
        (Caller("+4930555102"), "Bert"),
        (Caller("+4930555102", "The Chancellor"), "Bert"),
        (Caller("+4989123456", "Carla Weber"), "Carla Weber"),
        (Caller("", "Carla Weber"), "Carla Weber"),
        (Caller(), ""),
    ],
)
def test_a_known_number_has_the_name_of_the_directory(
    tmp_path_factory: pytest.TempPathFactory, caller: Caller, name: str
) -> None:
    directory = ScriptedDirectory([ANNA, KNOWN])
    assert delivered(tmp_path_factory, caller, directory) == replace(caller, name=name)


@pytest.mark.parametrize("directory", [ScriptedDirectory([KNOWN], away=True), SlowDirectory()])
def test_a_message_does_not_wait_for_a_name(
    tmp_path_factory: pytest.TempPathFactory, directory: ScriptedDirectory
) -> None:
    caller = Caller("+4930555102", "Bert by the network")
    assert delivered(tmp_path_factory, caller, directory) == caller


def test_a_name_that_the_directory_lacks_or_spoils_does_no_harm(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    nameless = replace(KNOWN, name="")
    hostile = replace(KNOWN, name="Bert\r\nBcc: everybody@example.org")
    caller = Caller("+4930555102", "Claimed")
    assert delivered(tmp_path_factory, caller, ScriptedDirectory([nameless])) == caller
    named = delivered(tmp_path_factory, caller, ScriptedDirectory([hostile]))
    assert named.name == "Bert Bcc: everybody@example.org"
