/**
 * Runs inside the browser page (see chromium.ts): joins through POST /offer and tells what arrives. Plain
 * script, no imports: it is put into the page as it is.
 */
globalThis.sightlineViewers = (() => {
  const viewers = [];

  /**
   * @param {object} options
   * @param {number} [options.video] receiving video m-lines, default 1
   * @param {boolean} [options.audio] one receiving audio m-line, default false
   * @param {boolean} [options.dataChannel] default false
   * @param {'H264' | 'VP8'} [options.codec] the only video codec offered
   * @param {boolean} [options.waitForCandidates] default false
   * @param {boolean} [options.keepFirstPicture] its pixels, default true
   * @param {object} [options.body] further members of the request
   */
  async function join(options = {}) {
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    const viewer = { pc, keepFirstPicture: options.keepFirstPicture ?? true, videos: [], firstFrame: [], firstPicture: [], frames: [], times: {}, samples: [] };
    const id = viewers.push(viewer) - 1;
    for (let i = 0; i < (options.video ?? 1); i++) {
      const transceiver = pc.addTransceiver('video', { direction: 'recvonly' });
      if (options.codec) {
        const codecs = RTCRtpReceiver.getCapabilities('video').codecs.filter(({ mimeType }) => mimeType.toUpperCase() === `VIDEO/${options.codec}`);
        transceiver.setCodecPreferences(codecs);
      }
      viewer.videos.push(watch(viewer, i, transceiver.receiver.track));
    }
    if (options.audio) {
      const { receiver } = pc.addTransceiver('audio', { direction: 'recvonly' });
      // Audio statistics only count what is played somewhere.
      const element = document.body.appendChild(Object.assign(document.createElement('audio'), { autoplay: true }));
      element.srcObject = new MediaStream([receiver.track]);
    }
    if (options.dataChannel) viewer.channel = pc.createDataChannel('commands');
    pc.addEventListener('connectionstatechange', () => (viewer.times[pc.connectionState] ??= performance.now()));
    await pc.setLocalDescription();
    if (options.waitForCandidates && pc.iceGatheringState !== 'complete') {
      await new Promise((resolve) => pc.addEventListener('icegatheringstatechange', () => pc.iceGatheringState === 'complete' && resolve()));
    }
    viewer.times.posted = performance.now();
    const response = await fetch('/offer', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sdp: pc.localDescription.sdp, type: 'offer', ...options.body }),
    });
    const answer = await response.json();
    viewer.times.answered = performance.now();
    if (response.ok) await pc.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
    return { id, status: response.status, answer };
  }

  function watch(viewer, index, track) {
    const video = document.body.appendChild(Object.assign(document.createElement('video'), { muted: true, autoplay: true, playsInline: true, width: 320, height: 180 }));
    video.srcObject = new MediaStream([track]);
    viewer.frames[index] = 0;
    const presented = (_now, { rtpTimestamp, width, height }) => {
      const now = performance.now();
      if (viewer.frames[index]++ === 0) {
        if (viewer.keepFirstPicture) viewer.firstPicture[index] = draw(video);
        viewer.firstFrame[index] = { now, rtpTimestamp, width, height };
      }
      viewer.samples[index]?.(now, rtpTimestamp);
      video.requestVideoFrameCallback(presented);
    };
    video.requestVideoFrameCallback(presented);
    return video;
  }

  function draw(video) {
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(video, 0, 0);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  }

  /** RGBA as base64; strings are what crosses the process border fastest. */
  function encode({ width, height, data }) {
    let text = '';
    for (let i = 0; i < data.length; i += 0x8000) text += String.fromCharCode(...data.subarray(i, i + 0x8000));
    return { widthPx: width, heightPx: height, rgba: btoa(text) };
  }

  /** FNV-1a over every 16th pixel: equal for equal pictures. */
  function hash({ data }) {
    let value = 0x811c9dc5;
    for (let i = 0; i < data.length; i += 64) value = Math.imul(value ^ data[i] ^ (data[i + 1] << 8) ^ (data[i + 2] << 16), 0x01000193);
    return value >>> 0;
  }

  /** The next `count` presented pictures of one m-line. */
  function record(id, index, count) {
    const viewer = viewers[id];
    return new Promise((resolve) => {
      const seen = [];
      viewer.samples[index] = (now, rtpTimestamp) => {
        seen.push({ now, rtpTimestamp, hash: hash(draw(viewer.videos[index])) });
        if (seen.length < count) return;
        delete viewer.samples[index];
        resolve(seen);
      };
    });
  }

  return {
    join,
    record,
    state: (id) => {
      const { pc, times, frames, firstFrame } = viewers[id];
      return { connectionState: pc.connectionState, times, frames, firstFrame };
    },
    stats: async (id) => [...(await viewers[id].pc.getStats()).values()],
    picture: (id, index) => encode(draw(viewers[id].videos[index])),
    firstPicture: (id, index) => encode(viewers[id].firstPicture[index]),
    leave: (id) => {
      viewers[id].pc.close();
      for (const video of viewers[id].videos) video.remove();
    },
  };
})();
