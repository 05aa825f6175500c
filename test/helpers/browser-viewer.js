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
   * @param {boolean} [options.dataChannel] the channel of commands, default false
   * @param {boolean} [options.detections] the channel of detections, every message kept; default false
   * @param {boolean} [options.numbers] keeps the number of every shown picture of a numbered clip, default false
   * @param {boolean} [options.keyframeRequests] makes `requestKeyframe` possible, default false
   * @param {'H264' | 'VP8'} [options.codec] the only video codec offered
   * @param {boolean} [options.waitForCandidates] default false
   * @param {boolean} [options.keepFirstPicture] its pixels, default true
   * @param {RTCConfiguration} [options.configuration]
   * @param {string[]} [options.offerCandidates] in place of those of the offer
   * @param {string} [options.answerCandidates] a regular expression: those of the answer that are taken, default all
   * @param {object} [options.body] further members of the request
   */
  async function join(options = {}) {
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', ...options.configuration });
    const viewer = {
      pc,
      keepFirstPicture: options.keepFirstPicture ?? true,
      keepNumbers: options.numbers ?? false,
      ...{
        videos: [],
        firstFrame: [],
        firstPicture: [],
        frames: [],
        times: {},
        samples: [],
        numbers: [],
        messages: [],
        told: [],
        transformers: [],
      },
    };
    const id = viewers.push(viewer) - 1;
    for (let i = 0; i < (options.video ?? 1); i++) {
      const transceiver = pc.addTransceiver('video', { direction: 'recvonly' });
      if (options.codec) {
        const codecs = RTCRtpReceiver.getCapabilities('video').codecs.filter(
          ({ mimeType }) => mimeType.toUpperCase() === `VIDEO/${options.codec}`,
        );
        transceiver.setCodecPreferences(codecs);
      }
      if (options.keyframeRequests) viewer.transformers.push(passingThrough(transceiver.receiver));
      viewer.videos.push(watch(viewer, i, transceiver.receiver.track));
    }
    if (options.audio) {
      const { receiver } = pc.addTransceiver('audio', { direction: 'recvonly' });
      // Audio statistics only count what is played somewhere.
      const element = document.body.appendChild(Object.assign(document.createElement('audio'), { autoplay: true }));
      element.srcObject = new MediaStream([receiver.track]);
    }
    if (options.dataChannel) {
      viewer.commands = pc.createDataChannel('commands');
      viewer.commands.addEventListener('message', ({ data }) => {
        const message = typeof data === 'string' ? JSON.parse(data) : {};
        if (message.type !== undefined) viewer.told.push({ now: performance.now(), ...message });
      });
    }
    if (options.detections) {
      viewer.detections = pc.createDataChannel('detections', { ordered: false, maxRetransmits: 0 });
      viewer.detections.addEventListener('message', ({ data }) => viewer.messages.push({ now: performance.now(), text: data }));
    }
    pc.addEventListener('connectionstatechange', () => (viewer.times[pc.connectionState] ??= performance.now()));
    await pc.setLocalDescription();
    if (options.waitForCandidates && pc.iceGatheringState !== 'complete') {
      await new Promise((resolve) =>
        pc.addEventListener('icegatheringstatechange', () => pc.iceGatheringState === 'complete' && resolve()),
      );
    }
    viewer.times.posted = performance.now();
    const response = await fetch('/offer', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        sdp: options.offerCandidates ? withCandidates(pc.localDescription.sdp, options.offerCandidates) : pc.localDescription.sdp,
        type: 'offer',
        ...options.body,
      }),
    });
    const answer = await response.json();
    viewer.times.answered = performance.now();
    if (response.ok)
      await pc.setRemoteDescription({
        type: 'answer',
        sdp: options.answerCandidates ? onlyCandidates(answer.sdp, new RegExp(options.answerCandidates)) : answer.sdp,
      });
    return { id, status: response.status, answer };
  }

  function onlyCandidates(sdp, pattern) {
    return sdp
      .split('\r\n')
      .filter((line) => !line.startsWith('a=candidate:') || pattern.test(line))
      .join('\r\n');
  }

  function withCandidates(sdp, candidates) {
    const lines = candidates.map((candidate) => `a=${candidate}\r\n`).join('');
    return onlyCandidates(sdp, /^$/).replace(/(a=ice-ufrag:)/, `${lines}$1`);
  }

  function watch(viewer, index, track) {
    const video = document.body.appendChild(
      Object.assign(document.createElement('video'), { muted: true, autoplay: true, playsInline: true, width: 320, height: 180 }),
    );
    video.srcObject = new MediaStream([track]);
    viewer.frames[index] = 0;
    viewer.numbers[index] = [];
    const presented = (_now, { rtpTimestamp, width, height, presentedFrames, expectedDisplayTime }) => {
      const now = performance.now();
      if (viewer.keepNumbers)
        void keepNumber(video, viewer.numbers[index], { now, rtpTimestamp, presentedFrames, displayAt: expectedDisplayTime });
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

  /**
   * The callback may come late, when the next picture is shown already: the pixels say themselves whose they are, so
   * that the number is noted with the RTP timestamp of the very picture it was read from.
   */
  async function keepNumber(video, numbers, shown) {
    const picture = new VideoFrame(video);
    // Firefox tells nothing of the picture: there, it is late where the callback is.
    const own = picture.metadata?.().rtpTimestamp;
    const isLate = own === undefined ? shown.now - shown.displayAt > 15 : own !== shown.rtpTimestamp;
    const entry = { ...shown, rtpTimestamp: own ?? shown.rtpTimestamp, isLate };
    numbers.push(entry);
    const { width } = picture.visibleRect;
    const rect = { x: 0, y: 0, width, height: width / 8 };
    const planes = new Uint8Array(picture.allocationSize({ rect }));
    const layouts = await picture.copyTo(planes, { rect });
    picture.close();
    // Where it is one plane of colours (BGRA), green stands in for the luma.
    const luma = layouts.length === 1 ? { ...layouts[0], offset: layouts[0].offset + 1, step: 4 } : { ...layouts[0], step: 1 };
    entry.number = readNumber(planes, luma, width / 16);
  }

  /** As test/helpers/numbered-clip.ts reads it. */
  function readNumber(planes, { offset, stride, step }, cell) {
    let value = 0;
    for (let i = 0; i < 16; i++) {
      const x = offset + Math.floor((i + 0.5) * cell) * step;
      const difference = planes[x + Math.floor(cell / 2) * stride] - planes[x + Math.floor(cell * 1.5) * stride];
      if (Math.abs(difference) < 60) return null;
      value = value * 2 + (difference > 0 ? 1 : 0);
    }
    const number = value >> 4;
    return ((number ^ (number >> 4) ^ (number >> 8)) & 15) === (value & 15) ? number : null;
  }

  /** Hands encoded pictures on as they are; its worker can ask for keyframes as the browser's own decoder does. */
  function passingThrough(receiver) {
    const script = `
      let transformer;
      onrtctransform = (event) => {
        transformer = event.transformer;
        transformer.readable.pipeTo(transformer.writable);
      };
      onmessage = () => transformer.sendKeyFrameRequest().then(() => postMessage('sent'), (error) => postMessage(String(error)));`;
    const worker = new Worker(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })));
    receiver.transform = new RTCRtpScriptTransform(worker);
    return worker;
  }

  /** Sends a PLI for one m-line; resolves once it is under way. */
  function requestKeyframe(id, index) {
    const worker = viewers[id].transformers[index];
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data === 'sent' ? resolve() : reject(new Error(data)));
      worker.postMessage(index);
    });
  }

  /** Sends a command once the channel is open; its answer. */
  async function command(id, request) {
    const channel = viewers[id].commands;
    if (channel.readyState === 'connecting') await new Promise((resolve) => channel.addEventListener('open', resolve, { once: true }));
    const key = `command ${Math.random()}`;
    return new Promise((resolve) => {
      const onMessage = ({ data }) => {
        if (typeof data !== 'string') return;
        const answer = JSON.parse(data);
        if (answer.id !== key) return;
        channel.removeEventListener('message', onMessage);
        resolve(answer);
      };
      channel.addEventListener('message', onMessage);
      channel.send(JSON.stringify({ id: key, ...request }));
    });
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
    command,
    requestKeyframe,
    numbers: (id) => viewers[id].numbers,
    messages: (id) => viewers[id].messages,
    told: (id) => viewers[id].told,
    now: () => performance.now(),
    state: (id) => {
      const { pc, times, frames, firstFrame } = viewers[id];
      return { connectionState: pc.connectionState, times, frames, firstFrame };
    },
    stats: async (id) => [...(await viewers[id].pc.getStats()).values()],
    picture: (id, index) => encode(draw(viewers[id].videos[index])),
    firstPicture: (id, index) => encode(viewers[id].firstPicture[index]),
    leave: (id) => {
      viewers[id].pc.close();
      for (const worker of viewers[id].transformers) worker.terminate();
      for (const video of viewers[id].videos) video.remove();
    },
  };
})();
