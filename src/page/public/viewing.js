/**
 * One viewing: an RTCPeerConnection that receives one source in one rendition. The offer is posted as soon as
 * it is set, without waiting for ICE candidates; the server learns the browser's address from its checks.
 */
import { ViewingError, refusal } from './explain.js';

/** Long enough for ICE and DTLS over a bad network; Chromium gives up by itself after about 15 s. */
const CONNECT_TIMEOUT_MS = 15_000;
/** A cold source starts within two seconds; transcoding a large file on a small machine may take longer. */
const PICTURE_TIMEOUT_MS = 15_000;
/** `disconnected` often heals by itself within this time. */
const DISCONNECTED_GRACE_MS = 4_000;

/** @returns {ViewingError | undefined} why this browser cannot play at all */
export function unsupported() {
  if (typeof RTCPeerConnection !== 'function') return new ViewingError('no-webrtc');
  const codecs = RTCRtpReceiver.getCapabilities?.('video')?.codecs;
  if (codecs && !codecs.some(({ mimeType }) => /^video\/(h264|vp8)$/i.test(mimeType))) return new ViewingError('no-codec');
  return undefined;
}

/** An open viewing; `lost` resolves when its connection is gone for good, also after `close`. */
export class Viewing {
  #pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  #stream = new MediaStream();
  #video;
  #settleLost;
  /** @type {Promise<void>} */
  lost = new Promise((resolve) => (this.#settleLost = resolve));
  /** Moments on `performance.now()`: clicked, posted, answered, connected, firstFrame. */
  times;

  /** @param {HTMLVideoElement} video plays the media @param {number} clickedAt when the person asked for it */
  constructor(video, clickedAt) {
    this.#video = video;
    this.times = { clicked: clickedAt };
  }

  /** Connects; resolves once the first picture is on the screen. Throws `ViewingError`; the caller closes. */
  async open({ source, rendition, signal }) {
    const pc = this.#pc;
    pc.ontrack = ({ track }) => this.#stream.addTrack(track);
    pc.addTransceiver('video', { direction: 'recvonly' });
    pc.addTransceiver('audio', { direction: 'recvonly' });
    this.#video.srcObject = this.#stream;
    const picture = firstPicture(this.#video).then((now) => (this.times.firstFrame = now));
    await pc.setLocalDescription();
    this.times.posted = performance.now();
    const answer = await postOffer({ sdp: pc.localDescription.sdp, type: 'offer', source, tracks: [rendition] }, signal);
    this.times.answered = performance.now();
    signal.throwIfAborted();
    const connected = this.#watch();
    await pc.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
    await within(connected, CONNECT_TIMEOUT_MS, 'connection-failed', signal);
    // The picture may have come in the same turn of the event loop in which `connected` was noticed.
    await within(Promise.race([picture, this.lost.then(() => Promise.reject(new ViewingError('connection-failed')))]), PICTURE_TIMEOUT_MS, 'no-picture', signal);
  }

  /** @returns {Promise<RTCStatsReport>} */
  stats() {
    return this.#pc.getStats();
  }

  /** True when the server sends sound. */
  get hasAudio() {
    return this.#stream.getAudioTracks().length > 0;
  }

  /** Ends it; the server notices the closed connection. Idempotent. */
  close() {
    this.#pc.close();
    if (this.#video.srcObject === this.#stream) this.#video.srcObject = null;
    this.#settleLost();
  }

  /** Resolves when connected, rejects when it failed before; afterwards settles `lost`. */
  #watch() {
    const pc = this.#pc;
    return new Promise((resolve, reject) => {
      let grace;
      const end = () => {
        clearTimeout(grace);
        this.#settleLost();
        reject(new ViewingError('connection-failed'));
      };
      pc.addEventListener('connectionstatechange', () => {
        clearTimeout(grace);
        if (pc.connectionState === 'connected') {
          this.times.connected ??= performance.now();
          // A server that goes away says so in DTLS, long before ICE notices.
          const dtls = pc.getReceivers()[0]?.transport;
          dtls?.addEventListener('statechange', () => ['closed', 'failed'].includes(dtls.state) && end());
          resolve();
        } else if (pc.connectionState === 'disconnected') {
          grace = setTimeout(end, DISCONNECTED_GRACE_MS);
        } else if (pc.connectionState === 'failed' || pc.connectionState === 'closed') {
          end();
        }
      });
    });
  }
}

async function postOffer(body, signal) {
  let response;
  try {
    response = await fetch('/offer', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ViewingError('unreachable', String(error));
  }
  const answer = await response.json().catch(() => undefined);
  if (!response.ok) throw refusal(response.status, answer, response.headers.get('retry-after'));
  return answer;
}

/** The moment the first picture is presented. A page in the background presents none: there, decoded counts. */
function firstPicture(video) {
  return new Promise((resolve) => {
    const presents = 'requestVideoFrameCallback' in video;
    if (presents) video.requestVideoFrameCallback((now) => resolve(now));
    video.addEventListener('loadeddata', () => (!presents || document.hidden) && resolve(performance.now()), { once: true });
  });
}

async function within(promise, ms, kind, signal) {
  let timer, onAbort;
  const stopped = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new ViewingError(kind)), ms);
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
