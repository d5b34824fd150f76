"""Measuring, levelling, encoding, and mending what a killed Asterisk leaves behind."""

import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import example, given
from hypothesis import strategies as st

from vm_ari.adapters import audio
from vm_ari.adapters.audio import AudioFormat, BadAudio, Samples

RATE = 8000
SPEECH = Path(__file__).parents[2] / "sounds" / "en" / "demo" / "caller-1.wav"
HEADER = 44


def speech() -> Samples:
    """A caller's message of some five seconds, levelled to -19 dBFS."""
    return audio.read(SPEECH)[0]


def noise(seconds: float, dbfs: float) -> Samples:
    """White noise of that level."""
    return np.random.default_rng(1).normal(0, 10 ** (dbfs / 20), round(seconds * RATE))


def at(samples: Samples, dbfs: float) -> Samples:
    """Levelled speech at another level."""
    return samples * 10 ** ((dbfs + 19) / 20)


# -- reading, writing, encoding -------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8000, 16_000])
def test_what_is_written_is_read_again_at_both_rates(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "greeting.wav16"
    samples = audio.tone(440, 0.5, rate, -20)
    audio.write_wav(path, samples, rate)
    again, read_rate = audio.read(path)
    assert read_rate == rate
    assert np.abs(again - samples).max() < 1 / 32_000
    assert audio.wav_seconds(path) == 0.5


def test_stereo_is_mixed(tmp_path: Path) -> None:
    path = tmp_path / "upload.flac"
    both = np.stack([np.full(800, 0.5), np.full(800, -0.25)], axis=1)
    soundfile.write(path, both, RATE)
    samples, _ = audio.read(path)
    assert samples == pytest.approx(0.125, abs=1e-3)


@pytest.mark.parametrize("content", [b"", b"hello", b"RIFF\0\0\0\0WAVE"])
def test_what_is_no_audio_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.wav"
    path.write_bytes(content)
    with pytest.raises(BadAudio, match=r"broken\.wav"):
        audio.read(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadAudio, match=r"absent\.wav"):
        audio.read(tmp_path / "absent.wav")


@pytest.mark.parametrize("to", AudioFormat)
@pytest.mark.parametrize("suffix", [".wav", ".wav16"])
def test_a_message_can_be_sent_in_every_format(
    tmp_path: Path, to: AudioFormat, suffix: str
) -> None:
    path = SPEECH.with_suffix(suffix)
    original, rate = audio.read(path)
    attachment = tmp_path / f"message{to.suffix}"
    attachment.write_bytes(audio.encode(path, to))
    with soundfile.SoundFile(attachment) as file:
        assert (file.format, file.subtype) == (to.container, to.codec)
    heard, heard_rate = audio.read(attachment)
    assert len(heard) / heard_rate == pytest.approx(len(original) / rate, abs=0.15)
    assert audio.active_level(heard, heard_rate) == pytest.approx(-19, abs=1.5)


@pytest.mark.parametrize("seconds", [1, 30])
def test_gsm_is_read_to_its_end_and_no_further(tmp_path: Path, seconds: int) -> None:
    """libsndfile cannot seek in GSM, and says nothing about where it ends."""
    path, small = tmp_path / "message.wav", tmp_path / "small.wav"
    audio.write_wav(path, audio.tone(440, seconds, RATE, -20), RATE)
    small.write_bytes(audio.encode(path, AudioFormat.WAV49))
    heard, _ = audio.read(small)
    assert len(heard) / RATE == pytest.approx(seconds, abs=0.05)


@pytest.mark.parametrize(
    ("to", "ratio"), [(AudioFormat.WAV49, 9), (AudioFormat.MP3, 4), (AudioFormat.OPUS, 4)]
)
def test_the_small_formats_are_small(to: AudioFormat, ratio: float) -> None:
    assert len(audio.encode(SPEECH, to)) * ratio < SPEECH.stat().st_size


def test_media_types_and_suffixes_fit_the_formats() -> None:
    assert (AudioFormat.OPUS.suffix, AudioFormat.OPUS.media_type) == (".ogg", "audio/ogg")
    assert AudioFormat.WAV49.media_type == "audio/x-wav"


# -- measuring ------------------------------------------------------------------------------------


def test_a_tone_has_the_level_it_was_made_with() -> None:
    assert audio.active_level(audio.tone(1000, 1, RATE, -16), RATE) == pytest.approx(-16, abs=0.1)


def test_pauses_do_not_make_speech_quieter() -> None:
    pause = audio.silence(3, RATE)
    with_pauses = np.concatenate([pause, speech(), pause])
    assert audio.active_level(with_pauses, RATE) == pytest.approx(-19, abs=0.1)


def test_silence_measures_as_the_bottom_of_the_scale() -> None:
    assert audio.active_level(audio.silence(1, RATE), RATE) == audio.QUIETEST
    assert audio.active_level(np.zeros(0), RATE) == audio.QUIETEST


@pytest.mark.parametrize(
    "nothing",
    [
        audio.silence(10, RATE),
        np.zeros(0),
        noise(10, -60),
        noise(10, -48),  # a bad analogue line
        audio.tone(50, 10, RATE, -25),  # mains hum
        np.full(10 * RATE, 0.2),  # DC offset
        np.concatenate([np.r_[0.9, np.zeros(RATE - 1)] for _ in range(10)]),  # a click a second
    ],
    ids=["silence", "empty", "noise", "loud noise", "hum", "offset", "clicks"],
)
def test_a_silent_recording_has_no_speech(nothing: Samples) -> None:
    assert audio.speech_seconds(nothing, RATE) == 0


@pytest.mark.parametrize("dbfs", [-10, -19, -30, -40])
def test_speech_is_found_from_shouting_to_whispering(dbfs: float) -> None:
    recording = np.concatenate([noise(3, -65), at(speech(), dbfs), noise(3, -65)])
    assert audio.speech_seconds(recording, RATE) > 1


def test_speech_without_a_pause_is_speech() -> None:
    vowels = audio.tone(220, 5, RATE, -25)
    assert audio.speech_seconds(vowels, RATE) == pytest.approx(5, abs=0.1)


def test_one_word_is_enough() -> None:
    yes, _ = audio.read(SPEECH.parents[1] / "digits" / "6.wav")
    recording = np.concatenate([audio.silence(4, RATE), yes])
    assert 0.1 < audio.speech_seconds(recording, RATE) < 1


# -- changing -------------------------------------------------------------------------------------


@given(gain=st.floats(-40, 30))
def test_every_source_comes_out_at_the_same_level(gain: float) -> None:
    levelled = audio.level(at(speech(), gain - 19), RATE)
    assert audio.active_level(levelled, RATE) == pytest.approx(-19, abs=0.5)
    assert np.abs(levelled).max() <= 10 ** (-3 / 20)


def test_silence_is_not_blown_up() -> None:
    assert not audio.level(audio.silence(1, RATE), RATE).any()
    assert not audio.trim(audio.silence(1, RATE), RATE).any()


def test_trimming_leaves_a_short_lead_and_tail() -> None:
    tone = audio.tone(500, 1, RATE, -19)
    loose = np.concatenate([audio.silence(0.7, RATE), tone, audio.silence(1.3, RATE)])
    assert len(audio.trim(loose, RATE)) / RATE == pytest.approx(1.15, abs=0.03)


def test_trimming_does_not_cut_into_a_sound_without_silence() -> None:
    tone = audio.tone(500, 1, RATE, -19)
    assert len(audio.trim(tone, RATE)) >= len(tone) - 0.02 * RATE


def test_the_high_pass_takes_hum_and_leaves_speech() -> None:
    hum, voice = audio.tone(50, 1, RATE, -20), audio.tone(1000, 1, RATE, -20)
    assert audio.active_level(audio.highpass(hum, RATE), RATE) < -30
    assert audio.active_level(audio.highpass(voice, RATE), RATE) == pytest.approx(-20, abs=0.1)


def test_resampling_folds_nothing_back() -> None:
    too_high = audio.tone(5000, 1, 16_000, -10)
    folded = audio.resample(too_high, 16_000, RATE)[200:-200]  # the fade-in is a click, cut it off
    assert len(folded) == RATE - 400
    assert audio.active_level(folded, RATE) < -60


def test_a_tone_is_pure_and_starts_softly() -> None:
    tone = audio.tone(1000, 0.35, RATE, -16)
    spectrum = np.abs(np.fft.rfft(tone * np.hanning(len(tone)))) ** 2
    near = slice(round(950 * 0.35), round(1050 * 0.35))
    assert spectrum[near].sum() / spectrum.sum() > 0.999
    assert tone[0] == tone[-1] == 0
    assert len(tone) == 2800


# -- mending --------------------------------------------------------------------------------------


def wav(samples: int, data_size: int, riff_size: int, rate: int = RATE) -> bytes:
    """A file as Asterisk writes it: 44 bytes of header, then *samples* that count up."""
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16)
    sound = np.arange(1, samples + 1, dtype="<i2").tobytes()
    return (
        b"RIFF" + struct.pack("<I", riff_size) + b"WAVE" + fmt
        + b"data" + struct.pack("<I", data_size) + sound
    )  # fmt: skip


@contextmanager
def file_of(content: bytes) -> Iterator[Path]:
    """That content as a file: hypothesis runs many examples in one test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "message.wav"
        path.write_bytes(content)
        yield path


SIZES = st.one_of(st.just(0), st.integers(0, 2**32 - 1), st.integers(0, 5000))


@given(samples=st.integers(0, 2000), data=SIZES, riff=SIZES, cut=st.integers(0, 4000), rate16=...)
@example(samples=0, data=0, riff=0, cut=0, rate16=False)  # a header only
@example(samples=1000, data=0, riff=0, cut=1, rate16=False)  # half a sample at the end
def test_a_cut_recording_is_mended_without_losing_a_sample(
    samples: int, data: int, riff: int, cut: int, rate16: bool
) -> None:
    whole = wav(samples, data, riff, 16_000 if rate16 else RATE)
    content = whole[: max(HEADER, len(whole) - cut)]
    kept = (len(content) - HEADER) // 2
    with file_of(content) as path:
        seconds = audio.wav_seconds(path)
        audio.repair_wav_header(path)
        mended = path.read_bytes()
        heard, rate = soundfile.read(path, dtype="int16")
        assert list(heard) == list(range(1, kept + 1))
        assert mended[HEADER:] == content[HEADER : HEADER + 2 * kept]
        assert struct.unpack("<4xI32xI", mended[:HEADER]) == (36 + 2 * kept, 2 * kept)
        assert seconds == audio.wav_seconds(path) == kept / rate
        assert not audio.repair_wav_header(path)
        assert path.read_bytes() == mended


@given(cut=st.integers(0, HEADER - 1))
def test_a_file_without_a_whole_header_is_refused_and_left_alone(cut: int) -> None:
    with file_of(wav(100, 0, 0)[:cut]) as path:
        with pytest.raises(BadAudio, match=r"message\.wav"):
            audio.repair_wav_header(path)
        with pytest.raises(BadAudio, match=r"message\.wav"):
            audio.wav_seconds(path)
        assert path.read_bytes() == wav(100, 0, 0)[:cut]


@given(content=st.binary(max_size=80), place=st.integers(0, HEADER), damage=st.binary(max_size=8))
def test_no_content_breaks_the_repair(content: bytes, place: int, damage: bytes) -> None:
    good = wav(20, 40, 76)
    damaged = good[:place] + damage + good[place + len(damage) :]
    for candidate in (content, damaged, good[:HEADER] + content):
        with file_of(candidate) as path:
            try:
                audio.repair_wav_header(path)
            except BadAudio:
                assert path.read_bytes() == candidate
            else:
                assert len(candidate) - 1 <= path.stat().st_size <= len(candidate)
                assert audio.wav_seconds(path) >= 0


def test_a_good_file_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "message.wav"
    path.write_bytes(SPEECH.read_bytes())
    before = path.stat().st_mtime_ns
    assert not audio.repair_wav_header(path)
    assert path.stat().st_mtime_ns == before


def test_chunks_after_the_audio_are_no_audio(tmp_path: Path) -> None:
    """Other programs append a LIST chunk; it must not be played as a crackle."""
    path = tmp_path / "greeting.wav"
    listing = b"LIST" + struct.pack("<I", 4) + b"INFO"
    path.write_bytes(wav(1000, 2000, 2036 + len(listing)) + listing)
    assert not audio.repair_wav_header(path)
    assert audio.wav_seconds(path) == 1000 / RATE


@pytest.mark.parametrize("subtype", ["GSM610", "PCM_24", "ULAW"])
def test_other_kinds_of_wav_are_refused(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "other.wav"
    soundfile.write(path, speech(), RATE, subtype=subtype)
    with pytest.raises(BadAudio, match="16-bit mono"):
        audio.repair_wav_header(path)


def test_a_file_that_is_gone_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        audio.wav_seconds(tmp_path / "gone.wav")
