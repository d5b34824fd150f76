"""While a message plays: its keys, and what they do (INBOX-05)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from vm_ari.dialogues.desk import Desk
from vm_ari.domain.playback import Speed
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Clip, Part, Recorded
from vm_ari.telephony.call import Call
from vm_ari.telephony.menu import Action, Item, spoken
from vm_ari.telephony.playback import Control, Controls
from vm_ari.telephony.recital import Piece

PLAYING = (
    Item(Action.PAUSE, P.TO_GO_ON),
    Item(Action.REWIND, P.TO_REWIND),
    Item(Action.FORWARD, P.TO_FORWARD),
    Item(Action.SLOWER, P.TO_PLAY_SLOWER),
    Item(Action.FASTER, P.TO_PLAY_FASTER),
)
"""In the words of a pause, where they are offered."""
PAUSED = (*PLAYING, Item(Action.SKIP, P.TO_SKIP_THE_REST))
CONTROLS: Mapping[Action, Control] = {
    Action.PAUSE: Control.PAUSE,
    Action.REWIND: Control.REWIND,
    Action.FORWARD: Control.FORWARD,
    Action.SLOWER: Control.SLOWER,
    Action.FASTER: Control.FASTER,
}


async def listen_to(call: Call, desk: Desk, audio: Path) -> bool:
    """Play a WAV file under the user's control; was any of it to be heard?

    Keys that control nothing stop it and are kept; the skip key goes to the end and is used up.
    Raises `NoAnswer` when a pause has no end.
    """
    controls = controls_of(desk, partial(_clip_at, desk, audio))
    return await call.listen(recorded(audio), controls, skip=desk.keys[Action.SKIP])


def piece(desk: Desk, audio: Path) -> Piece:
    """A WAV file as one of several that are heard like one."""
    clip = Clip(recorded(audio).path, absolute=True)
    return Piece(clip, controls_of(desk, partial(_clip_at, desk, audio)))


def prompts(call: Call, desk: Desk, *sentence: Part) -> Sequence[Piece]:
    """The same for words of the system, which have only one speed."""
    controls = controls_of(desk, _only_one_speed)
    return [Piece(clip, controls) for clip in call.language.clips(sentence)]


def controls_of(desk: Desk, at_speed: Callable[[Speed], Awaitable[Clip | None]]) -> Controls:
    """The keys of what plays, and their words."""
    return Controls(
        keys={desk.keys[action]: control for action, control in CONTROLS.items()},
        help=spoken(PAUSED, desk.keys),
        at_speed=at_speed,
    )


def recorded(audio: Path) -> Recorded:
    """A file as part of a sentence."""
    return Recorded(str(audio.with_suffix("")))


async def _only_one_speed(_speed: Speed) -> Clip | None:
    return None


async def _clip_at(desk: Desk, audio: Path, speed: Speed) -> Clip | None:
    prepared = audio if speed is Speed.NORMAL else await desk.at_speed(audio, speed)
    return Clip(recorded(prepared).path, absolute=True) if prepared else None
