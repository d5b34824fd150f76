"""When a recording has a warning before its end."""

import pytest

from vm_ari.domain.recording import Limits


@pytest.mark.parametrize(
    ("limits", "warns"),
    [
        (Limits(), True),
        (Limits(longest=21, warning=10), True),
        (Limits(longest=20, warning=10), False),
        (Limits(warning=0), False),
        (Limits(stream=False), False),
    ],
)
def test_a_beep_needs_room_and_a_stream(limits: Limits, warns: bool) -> None:
    assert limits.warns is warns
