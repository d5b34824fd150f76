"""The pure parts of the softphone: SIP, SDP, RTP, G.711, what is sent when and heard where."""

import contextlib
import io
from collections.abc import Callable

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.adapters.softphone import Codec, digest, message_summary, messages, outflow, rtp, sdp
from vm_ari.adapters.softphone.digest import Challenge, Credentials
from vm_ari.adapters.softphone.messages import NotSip, Request, Response, parameter
from vm_ari.adapters.softphone.outflow import Job, Outflow
from vm_ari.adapters.softphone.rtp import KeyEvent, NotRtp, Packet
from vm_ari.adapters.softphone.track import Tally, Track

INVITE = (
    b"INVITE sip:101@x SIP/2.0\r\n"
    b"v: SIP/2.0/UDP h:5060;branch=z9hG4bKabc\r\n"
    b"Via: SIP/2.0/UDP second;branch=z9hG4bKdef\r\n"
    b'f: "a;tag=no" <sip:x@x;tag=no>;tag=yes\r\n'
    b"To: <sip:101@x>\r\n"
    b"i: 1@x\r\nCSEQ:  7  INVITE\r\n"
    b"Subject: one\r\n\ttwo \xff\r\n"
    b"Record-Route: <sip:p1;lr>\r\n"
    b"Content-Length: 4\r\n\r\nbodyrubbish"
)


# --- SIP -----------------------------------------------------------------------------------


def test_a_request_is_read_with_compact_folded_and_broken_headers() -> None:
    invite = messages.parse(INVITE)
    assert isinstance(invite, Request)
    assert (invite.method, invite.uri, invite.body) == ("INVITE", "sip:101@x", b"body")
    assert invite.cseq == (7, "INVITE")
    assert invite.transaction == ("z9hG4bKabc", "INVITE")
    assert parameter(invite.get("from"), "tag") == "yes"
    assert invite.get("subject").encode("utf-8", "surrogateescape") == b"one two \xff"
    assert len(invite.all("via")) == 2
    assert invite.encode().endswith(b"Content-Length: 4\r\n\r\nbody") is True


def test_a_reply_repeats_what_it_must() -> None:
    invite = messages.parse(INVITE)
    assert isinstance(invite, Request)
    trying = messages.parse(messages.reply(invite, 100, tag="t").encode())
    busy = messages.parse(messages.reply(invite, 486, tag="t").encode())
    assert isinstance(trying, Response)
    assert isinstance(busy, Response)
    assert (busy.status, busy.reason) == (486, "Busy Here")
    assert busy.all("via") == invite.all("via")
    assert busy.get("to") == "<sip:101@x>;tag=t"
    assert trying.get("to") == "<sip:101@x>"
    assert busy.all("record-route") == ("<sip:p1;lr>",)
    assert (busy.transaction, busy.call_id) == (invite.transaction, "1@x")


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n\r\n",
        INVITE.replace(b"SIP/2.0\r\n", b"SIP/3.0\r\n", 1),
        INVITE.replace(b"CSEQ:  7  INVITE", b"CSeq: INVITE"),
        INVITE.replace(b"CSEQ:  7  INVITE", b"CSeq: 7"),
        INVITE.replace(b"i: 1@x\r\n", b""),
        INVITE.replace(b"Content-Length: 4", b"Content-Length: -4"),
        INVITE.replace(b"To: <", b"To <"),
    ],
)
def test_what_is_not_sip_is_named_so(broken: bytes) -> None:
    with pytest.raises(NotSip):
        messages.parse(broken)


@given(
    st.binary(max_size=400)
    | st.builds(
        lambda at, junk: INVITE[:at] + junk + INVITE[at + len(junk) :],
        st.integers(0, len(INVITE)),
        st.binary(max_size=30),
    )
)
def test_no_datagram_breaks_the_reader(datagram: bytes) -> None:
    try:
        message = messages.parse(datagram)
    except NotSip:
        return
    assert message.cseq
    assert message.transaction
    again = messages.parse(message.encode())
    assert again.call_id == message.call_id


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616_section_3_9_1(algorithm: str, response: str) -> None:
    nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    challenge = Challenge("http-auth@example.org", nonce, algorithm, qop=True)
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    proof = Credentials("Mufasa", "Circle of Life").proof(
        challenge, "GET", "/dir/index.html", cnonce
    )
    assert f'response="{response}"' in proof


def test_the_example_of_rfc_2069_without_qop() -> None:
    challenge = Challenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093", qop=False)
    proof = Credentials("Mufasa", "CircleOfLife").proof(challenge, "GET", "/dir/index.html")
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in proof  # RFC 2069 erratum 749
    assert "cnonce" not in proof


def test_the_strongest_challenge_is_answered_once() -> None:
    def refusal(*challenges: str) -> Response:
        headers = tuple(("WWW-Authenticate", challenge) for challenge in challenges)
        return Response(status=401, reason="Unauthorized", headers=headers)

    asked = Request(method="REGISTER", uri="sip:x", headers=())
    login = Credentials('a"b', "secret")
    md5, sha = 'Digest realm="r", nonce="1"', 'Digest realm="r", nonce="2", algorithm=SHA-256'
    name, value = login.answer(asked, refusal(md5, sha, sha + "-sess")) or ("", "")
    assert name == "Authorization"
    assert 'nonce="2"' in value
    assert 'username="a\\"b"' in value
    proven = Request(method="REGISTER", uri="sip:x", headers=((name, value),))
    assert login.answer(proven, refusal(md5)) is None
    assert login.answer(proven, refusal(md5 + ", stale=TRUE"))
    assert login.answer(asked, refusal('Digest realm="r", nonce="3", qop="auth-int"')) is None
    assert login.answer(asked, refusal('Basic realm="r"')) is None
    assert digest.strongest(()) is None


# --- SDP, message summary ------------------------------------------------------------------


def test_a_description_is_read_back() -> None:
    stream = sdp.parse(sdp.describe("127.0.0.1", 4000, [Codec.PCMA, Codec.PCMU]))
    assert stream == sdp.Stream("127.0.0.1", 4000, Codec.PCMA, 101)
    silent = sdp.parse(sdp.describe("127.0.0.1", 4000, [Codec.PCMA], keys=None))
    assert silent.keys is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "v=0\r\nc=IN IP4 10.0.0.1\r\nm=video 9 RTP/AVP 99\r\nm=audio 5000 RTP/AVP 9 8 0 96\r\n"
            "c=IN IP4 10.0.0.2\r\na=rtpmap:96 telephone-event/8000\r\n",
            sdp.Stream("10.0.0.2", 5000, Codec.PCMA, 96),
        ),
        (
            "c=IN IP4 10.0.0.1\nm=audio 5000/2 RTP/AVP 0",
            sdp.Stream("10.0.0.1", 5000, Codec.PCMU, None),
        ),
        ("c=IN IP4 10.0.0.1\r\nm=audio 0 RTP/AVP 0", None),
        ("c=IN IP4 10.0.0.1\r\nm=audio 70000 RTP/AVP 0", None),
        ("c=IN IP6 ::1\r\nm=audio 5000 RTP/AVP 0", None),
        ("c=IN IP4 10.0.0.1\r\nm=audio 5000 RTP/AVP 18", None),
        ("c=IN IP4 10.0.0.1\r\nm=audio 5000 RTP/SAVP 0", None),
        ("", None),
    ],
)
def test_the_first_usable_stream_counts(body: str, expected: sdp.Stream | None) -> None:
    if expected:
        assert sdp.parse(body.encode()) == expected
    else:
        with pytest.raises(sdp.NoAudioOffered):
            sdp.parse(body.encode())


def test_a_message_summary_is_read() -> None:
    example = (  # RFC 3842 section 5.2
        b"Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\n"
        b"Voice-Message: 2/8 (0/2)\r\n"
    )
    lit = message_summary.Lamp(1.5, 2, 8, on=True, account="sip:alice@vmail.example.com")
    assert message_summary.parse(example, 1.5) == lit
    off = message_summary.parse(b"Messages-Waiting: no\r\n", 0)
    assert off == message_summary.Lamp(0, 0, 0, on=False)
    assert message_summary.parse(b"\xff\x00", 0) is None


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_body_breaks_a_reader(body: bytes) -> None:
    message_summary.parse(body, 0)
    with pytest.raises(sdp.NoAudioOffered):
        sdp.parse(b"m=audio " + body)


# --- G.711, RTP ----------------------------------------------------------------------------


@pytest.mark.parametrize(("codec", "subtype"), [(Codec.PCMU, "ULAW"), (Codec.PCMA, "ALAW")])
def test_g711_agrees_with_libsndfile(codec: Codec, subtype: str) -> None:
    every_code = bytes(range(256))
    reference, _ = soundfile.read(
        io.BytesIO(every_code),
        format="RAW",
        subtype=subtype,
        samplerate=8000,
        channels=1,
        dtype="float32",
    )
    decoded = codec.decode(every_code)
    assert np.array_equal(decoded, reference)
    assert np.array_equal(codec.decode(codec.encode(decoded)), decoded)
    loud = codec.decode(codec.encode(np.array([2.0, -2.0, 0.0])))
    assert loud[0] > 0.95
    assert loud[1] < -0.95
    assert abs(loud[2]) < 0.001
    noise = np.random.default_rng(1).uniform(-1, 1, 4000)
    error = codec.decode(codec.encode(noise)) - noise
    assert 10 * np.log10(np.mean(noise**2) / np.mean(error**2)) > 35


def test_a_packet_is_read_back_without_its_trimmings() -> None:
    packet = Packet(8, 65535, 2**32 - 1, 7, b"audio", marker=True)
    assert rtp.parse(packet.encode()) == packet
    plain = packet.encode()
    trimmed = bytes([0x80 | 0x20 | 0x10 | 1]) + plain[1:12] + b"CSRC" + b"\0\0\0\1" + b"EXTN"
    assert rtp.parse(trimmed + b"audio" + b"\0\0\3") == packet


@given(st.binary(max_size=60))
def test_no_datagram_breaks_the_rtp_reader(datagram: bytes) -> None:
    readers: tuple[Callable[[bytes], object], ...] = (rtp.parse, rtp.parse_key)
    for read in readers:
        with contextlib.suppress(NotRtp):
            read(datagram)


@pytest.mark.parametrize("key", rtp.KEYS)
def test_every_key_is_read_back(key: str) -> None:
    event = KeyEvent(key, 800, end=True)
    assert rtp.parse_key(event.encode()) == event


# --- what is sent --------------------------------------------------------------------------


def flow(*, silence: bool = True) -> Outflow:
    return Outflow(Codec.PCMU, 101, silence=silence)


def test_a_key_is_sent_as_rfc_4733_wants_it() -> None:
    source = flow()
    before = source.packets(0)
    source.press(Job(outflow.keys("5", key_ms=60, gap_ms=20)))
    sent = [source.packets(slot) for slot in range(1, 7)]
    assert [len(packets) for packets in sent] == [1, 1, 1, 3, 1, 1]
    key = [packet for packets in sent[:4] for packet in packets]
    assert {packet.payload_type for packet in key} == {101}
    assert {packet.timestamp for packet in key} == {before[0].timestamp + 160}
    assert [packet.marker for packet in key] == [True, False, False, False, False, False]
    events = [rtp.parse_key(packet.payload) for packet in key]
    assert [event.samples for event in events] == [160, 320, 480, 480, 480, 480]
    assert [event.end for event in events] == [False] * 3 + [True] * 3
    numbers = [packet.sequence for packets in (before, *sent) for packet in packets]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_keys_go_before_speech_and_speech_goes_on_afterwards() -> None:
    source, ends = flow(silence=False), list[str]()
    said = np.full(300, 0.5, np.float32)
    source.speak(Job(outflow.speech(said), lambda: ends.append("speech")))
    source.packets(0)
    source.press(Job(outflow.keys("1", key_ms=20, gap_ms=0), lambda: ends.append("key")))
    types = [[packet.payload_type for packet in source.packets(slot)] for slot in range(1, 5)]
    assert types == [[101], [101] * 3, [0], []]
    assert ends == ["key", "speech"]
    assert source.idle


def test_speech_is_filled_up_to_whole_packets_and_can_be_dropped() -> None:
    source = flow(silence=False)
    job = Job(outflow.speech(np.full(161, 0.5, np.float32)))
    source.speak(job)
    (first,) = source.packets(10)
    (second,) = source.packets(11)
    assert (first.marker, second.marker) == (True, False)
    assert second.timestamp == first.timestamp + 160
    assert np.flatnonzero(Codec.PCMU.decode(second.payload)).tolist() == [0]
    again = Job(outflow.speech(np.ones(1600, np.float32)))
    source.speak(again)
    source.drop(again)
    assert source.packets(12) == []


@pytest.mark.parametrize(("digits", "key_ms"), [("1a", 100), ("€", 100), ("1", 10)])
def test_keys_no_telephone_has_are_refused(digits: str, key_ms: int) -> None:
    with pytest.raises(ValueError, match=r"telephone|short"):
        outflow.keys(digits, key_ms, 100)


# --- what was heard ------------------------------------------------------------------------

ONE = np.full(160, 0.5, np.float32)


def packet(sequence: int, stamp: int, ssrc: int = 1) -> Packet:
    return Packet(0, sequence & 0xFFFF, stamp & 0xFFFFFFFF, ssrc, b"")


def heard(*arrivals: tuple[Packet, float]) -> list[int]:
    """In which 20 ms of the call something was heard; packets and their arrivals in seconds."""
    track = Track()
    for one, at in arrivals:
        track.place(one, ONE, at)
    return np.flatnonzero(track.audio[80::160]).tolist()


def test_a_steady_stream_lies_where_its_first_packet_came() -> None:
    assert heard(*((packet(n, 160 * n), 0.2 + 0.02 * n) for n in range(4))) == [10, 11, 12, 13]


def test_a_stalled_reader_does_not_move_the_audio() -> None:
    assert heard(*((packet(n, 160 * n), 0.2 if n < 2 else 0.9) for n in range(5))) == [
        *range(10, 15)
    ]


def test_a_lost_packet_is_a_hole_and_a_late_one_fills_it() -> None:
    stream = [(packet(n, 160 * n), 0.02 * n) for n in range(5)]
    lost, late = stream[:2] + stream[3:], [*stream[:2], *stream[3:], stream[2]]
    assert heard(*lost) == [0, 1, 3, 4]
    assert heard(*late) == [0, 1, 2, 3, 4]


def test_counters_may_wrap_around() -> None:
    arrivals = [(packet(65534 + n, 2**32 - 320 + 160 * n), 0.02 * n) for n in range(5)]
    assert heard(*arrivals) == [0, 1, 2, 3, 4]


def test_after_a_pause_the_stamp_counts_if_it_is_likely_and_else_the_arrival() -> None:
    first = (packet(1, 0), 0.0)
    assert heard(first, (packet(2, 8000), 1.05)) == [0, 50]
    assert heard(first, (packet(2, 999999), 1.0)) == [0, 50]
    assert heard(first, (packet(9, 5, ssrc=2), 1.0)) == [0, 50]


def test_odd_sized_packets_of_asterisk_leave_no_seam() -> None:
    track = Track()
    track.place(packet(1, 160), ONE, 0.0)
    track.place(packet(2, 160 + 138), ONE[:138], 0.02)
    track.place(packet(3, 160 + 138 + 160), ONE, 0.04)
    assert np.array_equal(track.audio, np.full(458, 0.5, np.float32))


def test_a_long_call_is_kept_whole() -> None:
    assert heard(*((packet(n, 160 * n), 0.02 * n) for n in range(3000))) == [*range(3000)]


@given(st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 2**32 - 1)), max_size=30))
def test_a_wild_stream_cannot_blow_up_the_track(stream: list[tuple[int, int]]) -> None:
    track = Track()
    for sequence, stamp in stream:
        track.place(packet(sequence, stamp), ONE, 0.1)
    assert len(track.audio) <= 800 + 30 * 160 + 500 * 160


def test_the_tally_tells_lost_from_late() -> None:
    tally = Tally()
    for sequence in (65534, 65535, 2, 1, 3):
        tally.count(packet(sequence, 0))
    assert (tally.received, tally.lost) == (5, 1)
    tally.count(packet(40000, 0))
    tally.count(packet(7, 0, ssrc=2))
    assert (tally.received, tally.lost) == (7, 1)
