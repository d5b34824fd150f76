"""Every profile has a greeting and a destination of its own, and is activated on the web."""

from http import HTTPStatus
from pathlib import Path

import pytest

from tests.recordings import spoken, wav
from tests.web.portal_house import ANNA, House, in_house
from tests.web.test_greetings import greetings_of, seconds, signed_in, uploads
from vm_ari.domain.greetings import GreetingKey, Slot
from vm_ari.domain.profiles import CHOOSABLE

LANGUAGES = ("de", "en")
NUMBERS = {one: f"+4981424797{place}" for place, one in enumerate(CHOOSABLE)}
LENGTHS = {one: 1.0 + place / 2 for place, one in enumerate(CHOOSABLE)}


@pytest.mark.feature("GREET-01")
def test_each_profile_has_its_own_greetings_and_destination_and_is_activated(
    tmp_path: Path,
) -> None:
    async def story(house: House) -> None:
        anna = await signed_in(house)
        for one in CHOOSABLE:
            stored = await anna.sends("/me/transfers", **{f"transfer_{_key(one)}": NUMBERS[one]})
            assert stored.status_code == HTTPStatus.SEE_OTHER, stored.text
            for code in LANGUAGES if one is CHOOSABLE[0] else LANGUAGES[:1]:
                sound = wav(spoken(LENGTHS[one] + LANGUAGES.index(code)))
                await uploads(anna, f"/me/greetings/{one.value}/{code}", sound)
        there = await greetings_of(house)
        assert set(there) == {
            *(GreetingKey(ANNA, Slot(one.value), "de") for one in CHOOSABLE),
            GreetingKey(ANNA, Slot(CHOOSABLE[0].value), "en"),
        }
        for one in CHOOSABLE:
            await anna.sends("/me/profiles", what="activate", profile=one.value)
            user = await house.directory.user_by_id(ANNA)
            assert user
            assert (user.profile, user.transfer_in(one)) == (one, NUMBERS[one])
            heard = seconds(await anna.sees("/me/greetings/now"))
            assert heard == pytest.approx(LENGTHS[one], abs=0.2)

    in_house(tmp_path, story, site={"language": "de"})


@pytest.mark.feature("GREET-01")
def test_what_the_site_does_not_offer_is_neither_shown_nor_activated(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        anna = await signed_in(house)
        page = (await anna.sees("/me/profiles")).text
        assert 'value="work"' in page
        assert 'value="custom-1"' not in page
        refused = await anna.sends("/me/profiles", what="activate", profile="custom-1")
        assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        user = await house.directory.user_by_id(ANNA)
        assert user
        assert user.profile.value == "work"

    in_house(tmp_path, story, site={"profiles": ["work", "vacation"]})


def _key(profile: object) -> str:
    return str(profile).replace("-", "_")
