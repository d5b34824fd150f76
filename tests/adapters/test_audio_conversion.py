"""Formats of phones and browsers, by ffmpeg; and files that want more than to be decoded."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.adapters.greeting_sounds import pitch, speech_like
from vm_ari.adapters.audio_intake import AudioIntake, Sound
from vm_ari.ports import UnusableAudio

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="no ffmpeg")


def prepare(path: Path) -> Sound:
    return asyncio.run(AudioIntake().prepare(path))


def made(folder: Path, name: str, *how: str) -> Path:
    """The same sound in another format."""
    source = speech_like(folder / "source.wav", 2.0)
    path = folder / name
    subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-i", source, *how, path], check=True, timeout=60
    )
    return path


@needs_ffmpeg
@pytest.mark.feature("GREET-09")
@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("a.m4a", ("-c:a", "aac")),
        ("start.m4a", ("-c:a", "aac", "-movflags", "+faststart")),
        ("a.aac", ("-c:a", "aac")),
        ("a.mp4", ("-c:a", "aac")),
        ("a.webm", ("-c:a", "libopus")),
        ("a.mka", ("-c:a", "libvorbis")),
        ("a.wma", ("-c:a", "wmav2")),
    ],
)
def test_what_phones_and_browsers_record_is_accepted(
    tmp_path: Path, name: str, how: tuple[str, ...]
) -> None:
    sound = prepare(made(tmp_path, name, *how))
    assert sound.seconds == pytest.approx(2.0, abs=0.3)
    (tmp_path / "out.wav").write_bytes(sound.wav16)
    assert pitch(tmp_path / "out.wav") == pytest.approx(440, abs=5)


@needs_ffmpeg
def test_a_video_gives_its_sound(tmp_path: Path) -> None:
    picture = ("-f", "lavfi", "-i", "color=size=64x64:rate=5", "-shortest", "-c:a", "libopus")
    assert prepare(made(tmp_path, "a.webm", *picture)).seconds == pytest.approx(2.0, abs=0.4)


@needs_ffmpeg
@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\nfile://{secret}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {secret}\n",
        "#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
    ],
)
def test_a_file_that_names_other_files_or_servers_is_refused(tmp_path: Path, text: str) -> None:
    secret = made(tmp_path, "secret.ts", "-c:a", "aac")
    path = tmp_path / "upload"
    path.write_text(text.replace("{secret}", str(secret)))
    with pytest.raises(UnusableAudio, match="save it as WAV, MP3, Ogg or FLAC"):
        prepare(path)


@needs_ffmpeg
def test_a_long_one_is_not_decoded_to_its_end(tmp_path: Path) -> None:
    tone = ("-f", "lavfi", "-i", "sine=duration=600", "-map", "1:a")
    small = ("-c:a", "aac", "-b:a", "16k", "-ar", "16000")
    with pytest.raises(UnusableAudio, match="longer than 120 seconds"):
        prepare(made(tmp_path, "long.m4a", *tone, *small))


def test_without_ffmpeg_it_says_which_formats_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "a.m4a"
    path.write_bytes(b"\0\0\0\x20ftypM4A " + bytes(1000))
    with pytest.raises(UnusableAudio, match="save it as WAV, MP3, Ogg or FLAC"):
        prepare(path)
