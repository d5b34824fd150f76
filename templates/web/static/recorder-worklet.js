// Hands on what the microphone brings, block by block.
class Recorder extends AudioWorkletProcessor {
  process(inputs) {
    const channels = inputs[0];
    if (channels.length) {
      this.port.postMessage(channels[0].slice());
    }
    return true;
  }
}

registerProcessor("recorder", Recorder);
