// Records a greeting by microphone, and puts it into the form as if it were a file that the user
// has chosen: a WAV file, 16 kHz, mono. Without a microphone the form stays what it is.
"use strict";

(() => {
  const RATE = 16000;
  const box = document.getElementById("recorder");
  if (!box) {
    return;
  }
  const part = (id) => document.getElementById(id);
  const record = part("record");
  const stop = part("stop");
  const level = part("level");
  const state = part("recorder-state");
  const preview = part("preview");
  let running = null;

  box.hidden = false;
  if (!navigator.mediaDevices || !window.AudioWorkletNode) {
    record.disabled = true;
    state.textContent = box.dataset.none;
    return;
  }

  record.addEventListener("click", async () => {
    record.disabled = true;
    state.textContent = box.dataset.asking;
    try {
      running = await begin();
      stop.disabled = false;
      stop.focus();
      state.textContent = box.dataset.speak;
    } catch (error) {
      const refused = error.name === "NotAllowedError" || error.name === "SecurityError";
      state.textContent = refused ? box.dataset.refused : box.dataset.none;
      record.disabled = false;
    }
  });

  stop.addEventListener("click", finish);

  async function begin() {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: {
        channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false,
      },
    });
    const context = new AudioContext();
    try {
      await context.audioWorklet.addModule(box.dataset.worklet);
    } catch (error) {
      letGo(stream, context);
      throw error;
    }
    const node = new AudioWorkletNode(context, "recorder", {
      numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit",
    });
    const made = { stream, context, blocks: [], samples: 0 };
    node.port.onmessage = (event) => heard(made, event.data);
    context.createMediaStreamSource(stream).connect(node);
    return made;
  }

  function heard(made, block) {
    if (made !== running) {
      return;
    }
    made.blocks.push(block);
    made.samples += block.length;
    level.value = Math.max(level.value * 0.9, ...block.map(Math.abs));
    const seconds = Math.floor(made.samples / made.context.sampleRate);
    const rest = String(seconds % 60).padStart(2, "0");
    part("elapsed").textContent = `${Math.floor(seconds / 60)}:${rest}`;
    if (seconds >= Number(box.dataset.longest)) {
      finish();
    }
  }

  function letGo(stream, context) {
    stream.getTracks().forEach((track) => track.stop());
    context.close();
  }

  async function finish() {
    const made = running;
    if (!made) {
      return;
    }
    running = null;
    stop.disabled = true;
    level.value = 0;
    const rate = made.context.sampleRate;
    letGo(made.stream, made.context);
    record.disabled = false;
    if (!made.samples) {
      state.textContent = box.dataset.none;
      return;
    }
    const sound = wav(await resampled(joined(made), rate));
    const chosen = new DataTransfer();
    chosen.items.add(new File([sound], "microphone.wav", { type: "audio/wav" }));
    part("sound").files = chosen.files;
    if (preview.src) {
      URL.revokeObjectURL(preview.src);
    }
    preview.src = URL.createObjectURL(sound);
    preview.hidden = false;
    state.textContent = box.dataset.done;
    part("keep").focus();
  }

  function joined(made) {
    const all = new Float32Array(made.samples);
    let place = 0;
    for (const block of made.blocks) {
      all.set(block, place);
      place += block.length;
    }
    return all;
  }

  async function resampled(samples, rate) {
    const length = Math.max(1, Math.round((samples.length * RATE) / rate));
    const offline = new OfflineAudioContext(1, length, RATE);
    const buffer = offline.createBuffer(1, samples.length, rate);
    buffer.copyToChannel(samples, 0);
    const source = offline.createBufferSource();
    source.buffer = buffer;
    source.connect(offline.destination);
    source.start();
    return (await offline.startRendering()).getChannelData(0);
  }

  function wav(samples) {
    const bytes = new DataView(new ArrayBuffer(44 + samples.length * 2));
    const text = (place, word) => {
      [...word].forEach((sign, index) => bytes.setUint8(place + index, sign.charCodeAt(0)));
    };
    text(0, "RIFF");
    bytes.setUint32(4, 36 + samples.length * 2, true);
    text(8, "WAVEfmt ");
    bytes.setUint32(16, 16, true);
    bytes.setUint16(20, 1, true); // PCM
    bytes.setUint16(22, 1, true); // mono
    bytes.setUint32(24, RATE, true);
    bytes.setUint32(28, RATE * 2, true);
    bytes.setUint16(32, 2, true);
    bytes.setUint16(34, 16, true);
    text(36, "data");
    bytes.setUint32(40, samples.length * 2, true);
    samples.forEach((sample, index) => {
      const clipped = Math.max(-1, Math.min(1, sample));
      bytes.setInt16(44 + index * 2, Math.round(clipped * 32767), true);
    });
    return new Blob([bytes], { type: "audio/wav" });
  }
})();
