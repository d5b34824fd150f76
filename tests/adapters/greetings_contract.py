"""What every store of greetings promises: one suite for files, databases, and the fake."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.greeting_sounds import speech_like
from vm_ari.domain.greeting_ends import GreetingEnd
from vm_ari.domain.greetings import SITE, GlobalMode, GreetingKey, Slot, Source
from vm_ari.ports import Greetings, UnusableAudio

ANNA = "anna"
WORK = GreetingKey(ANNA, Slot.WORK, "de")
IN_ENGLISH = GreetingKey(ANNA, Slot.WORK, "en")
NAME = GreetingKey(ANNA, Slot.NAME, "de")
GLOBAL = GreetingKey(SITE, Slot.GLOBAL, "de")
LATER = datetime(2031, 5, 1, 10, tzinfo=UTC)
HOSTILE = ("../../etc", "a/b", ".", "..", "ÄÖ ü", "-rf", "x" * 300, "a\nb", "ANNA", "anna.b", "\0")

Story = Callable[[Greetings], Awaitable[Any]]
Tell = Callable[[Story], Any]


class GreetingsContract:
    """The promises of the port `Greetings`."""

    @pytest.fixture
    def tell(self, tmp_path: Path) -> Tell:
        """Runs a story on the store; every story sees what those before have left."""
        raise NotImplementedError

    @pytest.fixture
    def unusable(self, tmp_path: Path) -> Path:
        """A file that cannot become a greeting."""
        path = tmp_path / "letter.wav"
        path.write_text("Dear Anna")
        return path

    @pytest.fixture
    def audio(self, tmp_path: Path) -> Path:
        """A recording of three seconds."""
        return speech_like(tmp_path / "take.wav", 3.0)

    def test_nobody_has_greetings_at_first(self, tell: Tell) -> None:
        async def story(store: Greetings) -> None:
            assert await store.of(ANNA) == {}
            assert await store.of(SITE) == {}
            assert await store.global_mode() is GlobalMode.OFF
            assert not await store.delete(WORK)
            assert await store.delete_all(ANNA) == 0
            assert await store.set_expiry(WORK, LATER) is None

        tell(story)

    def test_what_was_kept_is_there_for_everybody_who_asks_later(
        self, tell: Tell, audio: Path
    ) -> None:
        async def keep(store: Greetings) -> Any:
            return await store.keep(WORK, audio, Source.UPLOAD, expires=LATER)

        async def look(store: Greetings) -> Any:
            return await store.of(ANNA)

        kept = tell(keep)
        assert (kept.key, kept.source, kept.expires) == (WORK, Source.UPLOAD, LATER)
        assert kept.seconds == pytest.approx(3.0, abs=0.3)
        assert kept.path.is_absolute()
        assert kept.recorded.tzinfo is not None
        assert tell(look) == {WORK: kept}

    @pytest.mark.feature_part("GREET-03", "a greeting per profile and language")
    def test_profiles_languages_and_owners_have_greetings_of_their_own(
        self, tell: Tell, audio: Path
    ) -> None:
        keys = [
            GreetingKey(o, s, c)
            for o in (ANNA, "bert")
            for s in list(Slot)[:4]
            for c in ("de", "en")
        ]

        async def story(store: Greetings) -> None:
            kept = {key: await store.keep(key, audio, Source.PHONE) for key in keys[:5]}
            kept |= {key: await store.keep(key, audio, Source.PHONE) for key in keys[-3:]}
            assert {**await store.of(ANNA), **await store.of("bert")} == kept
            assert len({greeting.path for greeting in kept.values()}) == len(kept)

        tell(story)

    def test_a_new_one_replaces_the_old_and_has_files_of_its_own(
        self, tell: Tell, audio: Path
    ) -> None:
        async def story(store: Greetings) -> None:
            old = await store.keep(WORK, audio, Source.PHONE, expires=LATER)
            other = await store.keep(IN_ENGLISH, audio, Source.PHONE)
            new = await store.keep(WORK, audio, Source.SPEECH)
            assert await store.of(ANNA) == {WORK: new, IN_ENGLISH: other}
            assert new.path != old.path
            assert new.expires is None

        tell(story)

    def test_what_cannot_be_used_changes_nothing(
        self, tell: Tell, audio: Path, unusable: Path
    ) -> None:
        async def story(store: Greetings) -> None:
            old = await store.keep(WORK, audio, Source.PHONE)
            with pytest.raises(UnusableAudio):
                await store.keep(WORK, unusable, Source.UPLOAD)
            assert await store.of(ANNA) == {WORK: old}

        tell(story)

    @pytest.mark.feature_part("GREET-10", "a greeting carries an end date")
    def test_an_end_can_be_set_and_taken_back(self, tell: Tell, audio: Path) -> None:
        async def story(store: Greetings) -> None:
            kept = await store.keep(WORK, audio, Source.PHONE)
            changed = await store.set_expiry(WORK, LATER)
            assert changed is not None
            assert (changed.path, changed.expires) == (kept.path, LATER)
            assert await store.of(ANNA) == {WORK: changed}
            assert changed.plays_at(LATER - timedelta(seconds=1))
            assert not changed.plays_at(LATER)
            assert await store.set_expiry(WORK, None) == kept
            assert await store.set_expiry(IN_ENGLISH, LATER) is None
            assert await store.of(ANNA) == {WORK: kept}

        tell(story)

    def test_what_ends_is_found_by_owner_and_time(self, tell: Tell, audio: Path) -> None:
        day, long_name = timedelta(days=1), "x" * 300
        others = GreetingKey(long_name, Slot.WORK, "de")

        async def story(store: Greetings) -> None:
            for key, end in ((WORK, LATER), (IN_ENGLISH, LATER + day), (others, LATER)):
                await store.keep(key, audio, Source.PHONE, expires=end)
            found = await store.ending([ANNA, long_name], LATER - day, LATER)
            assert set(found) == {GreetingEnd(WORK, LATER), GreetingEnd(others, LATER)}
            assert list(await store.ending(["bert"], LATER - day, LATER)) == []
            [later] = await store.ending([ANNA], LATER, LATER + day)
            assert later == GreetingEnd(IN_ENGLISH, LATER + day)
            await store.set_expiry(WORK, None)
            await store.delete(IN_ENGLISH)
            assert list(await store.ending([ANNA], LATER - day, LATER + day)) == []

        tell(story)

    @pytest.mark.feature_part("GREET-05", "delete one, delete all")
    def test_delete_one_then_all(self, tell: Tell, audio: Path) -> None:
        async def story(store: Greetings) -> None:
            for key in (WORK, IN_ENGLISH, NAME):
                await store.keep(key, audio, Source.PHONE)
            bert = await store.keep(GreetingKey("bert", Slot.WORK, "de"), audio, Source.PHONE)
            assert await store.delete(WORK)
            assert not await store.delete(WORK)
            assert set(await store.of(ANNA)) == {IN_ENGLISH, NAME}
            assert await store.delete_all(ANNA) == 2
            assert await store.of(ANNA) == {}
            assert list((await store.of("bert")).values()) == [bert]

        tell(story)

    @pytest.mark.feature_part("GREET-07", "the global greeting and when it plays are stored")
    def test_the_site_has_a_greeting_and_a_mode(self, tell: Tell, audio: Path) -> None:
        async def story(store: Greetings) -> None:
            kept = await store.keep(GLOBAL, audio, Source.UPLOAD)
            await store.keep(WORK, audio, Source.UPLOAD)
            for mode in (GlobalMode.ALWAYS, GlobalMode.IF_NONE):
                await store.set_global_mode(mode)
                assert await store.global_mode() is mode
            assert await store.of(SITE) == {GLOBAL: kept}
            for owner, heard in ((ANNA, {WORK, GLOBAL}), ("bert", {GLOBAL}), (SITE, {GLOBAL})):
                greetings, mode = await store.for_callers(owner)
                assert (set(greetings), mode) == (heard, GlobalMode.IF_NONE)
            assert await store.delete_all(SITE) == 1
            assert await store.global_mode() is GlobalMode.IF_NONE

        tell(story)
        assert tell(lambda store: store.global_mode()) is GlobalMode.IF_NONE

    def test_many_changes_at_once_all_count(self, tell: Tell, audio: Path) -> None:
        keys = [GreetingKey(ANNA, slot, "de") for slot in list(Slot)[:6]]

        async def story(store: Greetings) -> None:
            await asyncio.gather(*(store.keep(key, audio, Source.PHONE) for key in keys))
            assert set(await store.of(ANNA)) == set(keys)

        tell(story)

    @pytest.mark.parametrize("owner", HOSTILE, ids=lambda owner: repr(owner[:12]))
    def test_the_id_of_an_owner_may_be_anything(self, tell: Tell, audio: Path, owner: str) -> None:
        key = GreetingKey(owner, Slot.HOME, "de")

        async def story(store: Greetings) -> None:
            kept = await store.keep(key, audio, Source.PHONE)
            assert await store.of(owner) == {key: kept}
            for other in (ANNA, SITE, "user-", *HOSTILE):
                assert other == owner or await store.of(other) == {}
            assert await store.delete_all(owner) == 1

        tell(story)
