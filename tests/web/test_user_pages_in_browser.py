"""Messages and greetings in a real Chromium: heard, recorded, by keyboard (WEB-04)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from playwright.sync_api import Browser

from tests.web.browsers import Served, served, signs_in, window
from tests.web.invited import queued_invitation
from tests.web.left_messages import leave, only_message
from tests.web.microphone import chromium_hearing, records
from tests.web.portal_house import ANNA, BERT
from vm_ari.adapters.ear import RATE, tones
from vm_ari.domain.greetings import SITE, GreetingKey, Slot
from vm_ari.services.invitations import Invitations
from vm_ari.web.visit import written_id

pytestmark = pytest.mark.slow

HZ = 700
HOME = "/me/greetings/home/en"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("portal")


@pytest.fixture(scope="module")
def portal(home: Path) -> Iterator[Served]:
    with served(home) as one:
        one.do(leave(one.house, home, ANNA))
        one.do(leave(one.house, home, BERT))
        one.do(one.house.directory.change_settings(BERT, {"language": "en"}))
        yield one


@pytest.fixture(scope="module")
def browser(home: Path) -> Iterator[Browser]:
    with chromium_hearing(home, HZ) as one:
        yield one


@pytest.mark.feature_part("WEB-04", "axe finds nothing where something was wrong")
def test_axe_finds_nothing_on_pages_that_say_what_is_wrong(
    portal: Served, browser: Browser
) -> None:
    with window(browser, portal.address, reduced_motion="reduce") as opened:
        signs_in(opened, ANNA)
        opened.goes("/me/journal?name=ab")
        found = opened.violations()
        opened.goes("/me/greetings/work/de")
        opened.page.fill("#other", "0900 123456")
        opened.page.press("#other", "Enter")
        opened.page.wait_for_selector("#call-error")
        found += opened.violations()
        assert not found
        assert not opened.complaints


@pytest.mark.feature_part("STORE-05", "a message is played with seek, and is heard then")
def test_a_message_is_played_to_its_end_and_is_no_longer_new(
    portal: Served, browser: Browser
) -> None:
    uid = portal.do(only_message(portal.house, BERT)).uid
    with window(browser, portal.address) as opened:
        signs_in(opened, BERT)
        opened.goes("/me/messages")
        opened.page.click("text=Eva Eder")
        opened.waits_until("document.querySelector('audio')?.readyState > 0")
        with opened.page.expect_response(f"**/{written_id(uid)}") as told:
            opened.page.evaluate(
                "() => { const a = document.querySelector('audio'); a.muted = true;"
                " a.currentTime = a.duration - 0.5; a.play(); }"
            )
        assert told.value.status == 204
        assert not portal.do(only_message(portal.house, BERT)).new
        assert not opened.complaints


@pytest.mark.feature("GREET-09")
def test_a_greeting_is_recorded_by_microphone_and_keyboard(
    portal: Served, browser: Browser
) -> None:
    with window(browser, portal.address) as opened:
        signs_in(opened, BERT)
        records(opened, HOME)
        assert not opened.complaints
    store = portal.house.portal.parts.greetings
    assert store
    greeting = portal.do(store.of(BERT))[GreetingKey(BERT, Slot.HOME, "en")]
    samples, rate = soundfile.read(f"{greeting.path}.wav", dtype="float32")
    assert rate == RATE
    assert tones(samples, HZ, min_seconds=1.0)


@pytest.mark.feature("GREET-07")
def test_an_invited_person_records_the_global_greeting(portal: Served, browser: Browser) -> None:
    service = next(one for one in portal.house.portal.parts.more if isinstance(one, Invitations))
    portal.do(service.invite(ANNA, "en"))
    invited = portal.do(queued_invitation(portal.house))
    with window(browser, portal.address) as opened:
        opened.goes(invited.path)
        found = opened.violations()
        opened.page.fill("#code", invited.code)
        opened.page.keyboard.press("Enter")
        opened.page.wait_for_url("**/invited")
        found += opened.violations()
        records(opened, "/invited")
        assert not found + opened.violations()
        assert not opened.complaints
    store = portal.house.portal.parts.greetings
    assert store
    greeting = portal.do(store.of(SITE))[GreetingKey(SITE, Slot.GLOBAL, "en")]
    samples, _ = soundfile.read(f"{greeting.path}.wav", dtype="float32")
    assert tones(samples, HZ, min_seconds=1.0)


def test_without_a_microphone_the_page_says_so(portal: Served, browser: Browser) -> None:
    with window(browser, portal.address) as opened:
        signs_in(opened, BERT)
        opened.page.add_init_script(
            "navigator.mediaDevices.getUserMedia = () =>"
            " Promise.reject(new DOMException('', 'NotFoundError'))"
        )
        opened.goes(HOME)
        opened.page.click("#record")
        opened.page.wait_for_selector("text=There is no microphone that this browser can use")
        assert not opened.page.is_disabled("#record")
        assert opened.page.is_enabled("#sound")
