"""The ear finds prompts and tones in what a telephone line leaves of them."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.patience import AT_MOST
from vm_ari.adapters.ear import RATE, Audio, Bank, identify, read, tones, wait_for
from vm_ari.adapters.softphone import Codec


def babble(seed: int, seconds: float = 1.0) -> Audio:
    """Something like speech: noise in syllables, another one for each *seed*."""
    random = np.random.default_rng(seed)
    count = round(seconds * RATE)
    syllables = np.repeat(random.uniform(0.02, 0.3, count // 800 + 1), 800)[:count]
    return (syllables * random.standard_normal(count)).clip(-0.9, 0.9).astype(np.float32)


def pause(seconds: float) -> Audio:
    return np.zeros(round(seconds * RATE), np.float32)


def tone(hz: float, seconds: float, level: float = 0.3) -> Audio:
    moments = np.arange(round(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * hz * moments)).astype(np.float32)


def line(*parts: Audio, codec: Codec = Codec.PCMU, level: float = 1.0) -> Audio:
    return codec.decode(codec.encode(level * np.concatenate(parts)))


WELCOME, YOU_HAVE, ONE, BYE = babble(1, 2.3), babble(2, 0.62), babble(3, 0.25), babble(4, 1.2)
SOUNDS = {"welcome": WELCOME, "you-have": YOU_HAVE, "one": ONE, "bye": BYE}
SOUNDS |= {f"other-{seed}": babble(seed, 0.3 + seed % 5) for seed in range(20, 40)}
BANK = Bank(SOUNDS)


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("level", [1.0, 0.1])
def test_prompts_are_found_in_order_with_their_times(codec: Codec, level: float) -> None:
    parts = (pause(0.4), WELCOME, pause(0.1), YOU_HAVE, ONE, ONE, pause(3), BYE)
    hits = identify(line(*parts, codec=codec, level=level), BANK)
    assert [hit.name for hit in hits] == ["welcome", "you-have", "one", "one", "bye"]
    starts = [0.4, 2.8, 3.42, 3.67, 6.92]
    assert [hit.start for hit in hits] == pytest.approx(starts, abs=0.001)
    assert all(hit.whole for hit in hits)


def test_nothing_is_found_in_silence_or_in_strange_sounds() -> None:
    assert identify(pause(0), BANK) == []
    assert identify(pause(0.1), BANK) == []
    assert identify(line(pause(2)), BANK) == []
    assert identify(line(babble(99, 6), tone(1000, 1), babble(98, 0.4)), BANK) == []


def test_a_prompt_that_was_cut_off_is_heard_up_to_there() -> None:
    (cut,) = identify(line(pause(0.2), WELCOME[: round(1.4 * RATE)], pause(1)), BANK)
    assert (cut.name, cut.whole) == ("welcome", False)
    assert cut.end == pytest.approx(1.6, abs=0.06)
    (first, second) = identify(line(WELCOME[:RATE], BYE), BANK)
    assert (first.name, first.whole, second.name, second.whole) == ("welcome", False, "bye", True)
    assert identify(line(WELCOME[: RATE // 4], pause(1)), BANK) == []
    (short,) = identify(line(tone(1000, 0.5)[:-22]), Bank({"tone": tone(1000, 0.5)}))
    assert short.whole
    assert short.start == pytest.approx(0, abs=0.001)
    beep = tone(1000, 0.3)
    assert identify(line(pause(0.5), beep[: round(0.24 * RATE)]), Bank({"beep": beep})) == []
    (running,) = identify(line(WELCOME[:RATE]), BANK)
    assert not running.whole


def test_a_prompt_inside_a_longer_one_is_not_reported_twice() -> None:
    longer = np.concatenate([YOU_HAVE, pause(0.05), BYE])
    bank = Bank({"you-have": YOU_HAVE, "you-have-bye": longer, "bye": BYE})
    assert [hit.name for hit in identify(line(longer), bank)] == ["you-have-bye"]
    assert [hit.name for hit in identify(line(YOU_HAVE, pause(0.3)), bank)] == ["you-have"]


def test_sounds_of_the_same_content_are_one_with_all_names() -> None:
    bank = Bank({"b": ONE, "a": np.concatenate([pause(0.2), ONE]), "c": BYE})
    assert [prompt.names for prompt in bank.prompts] == [("a", "b"), ("c",)]
    (hit,) = identify(line(pause(0.3), ONE), bank)
    assert (hit.names, hit.name) == (("a", "b"), "a")
    assert [prompt.names for prompt in bank.only("b").prompts] == [("a", "b")]
    with pytest.raises(KeyError, match="nosuch"):
        bank.only("nosuch", "a")


def test_noise_on_the_line_is_forgiven() -> None:
    clean = np.concatenate([pause(0.3), WELCOME, YOU_HAVE])
    noise = np.random.default_rng(7).standard_normal(len(clean)).astype(np.float32)
    noisy = clean + noise * np.sqrt(np.mean(clean**2)) * 10 ** (-15 / 20)
    assert [hit.name for hit in identify(line(noisy), BANK) if hit.whole] == ["welcome", "you-have"]


def test_tones_are_told_by_frequency_length_and_purity() -> None:
    sounds = line(pause(0.5), tone(1000, 0.3), pause(0.2), tone(703, 0.4), tone(1000, 0.1), BYE)
    (beep,) = tones(sounds, 1000)
    assert (beep.start, beep.seconds) == pytest.approx((0.5, 0.3), abs=0.02)
    (other,) = tones(sounds, 703)
    assert (other.start, other.seconds) == pytest.approx((1.0, 0.4), abs=0.02)
    assert len(tones(sounds, 1000, min_seconds=0.08)) == 2
    assert tones(line(tone(1000, 1, level=0.005)), 1000) == []
    assert tones(line(tone(1000, 1) + tone(1400, 1)), 1000) == []
    assert tones(pause(0.01)) == []


def test_a_bank_of_files_is_named_by_path(tmp_path: Path) -> None:
    (tmp_path / "digits").mkdir()
    for name, samples in {"one": ONE, "digits/bye": BYE}.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, RATE, subtype="PCM_16")
    files = sorted(tmp_path.rglob("*.wav"))
    assert {p.names[0] for p in Bank.of_files(files, tmp_path).prompts} == {"one", "digits/bye"}
    assert {p.names[0] for p in Bank.of_files(files).prompts} == {"one", "bye"}
    soundfile.write(tmp_path / "wide.wav", ONE, 16000)
    with pytest.raises(ValueError, match="16000 Hz"):
        read(tmp_path / "wide.wav")


class Playing:
    """A line on which something is being played since the moment it was made."""

    def __init__(self, sound: Audio) -> None:
        self._sound = sound
        self._began = asyncio.get_running_loop().time()

    @property
    def heard(self) -> Audio:
        return self._sound[: round((asyncio.get_running_loop().time() - self._began) * RATE)]


def test_one_can_wait_for_a_prompt() -> None:
    async def scene() -> None:
        sounds = Playing(line(ONE, pause(0.1), YOU_HAVE, ONE, pause(1)))
        first = await wait_for(sounds, BANK, "one", within=AT_MOST)
        assert first.start == pytest.approx(0, abs=0.001)
        second = await wait_for(sounds, BANK, "one", after=first.end, within=AT_MOST)
        assert second.start == pytest.approx(0.97, abs=0.001)
        with pytest.raises(TimeoutError, match=r"for bye, heard \[\('one', 0.0\), \('you-have'"):
            await wait_for(sounds, BANK, "bye", within=0.2)

    asyncio.run(scene())
