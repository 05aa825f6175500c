/**
 * One viewing: an RTCPeerConnection that receives one source. It offers a video m-line for each rendition and has
 * the server send only those that are looked at; changing the view changes what is sent, not the connection. The
 * offer is posted as soon as it is set, without waiting for ICE candidates; the server learns the browser's
 * address from its checks.
 */
import { Commands } from './commands.js';
import { ViewingError, backoffS, refusal } from './explain.js';
import { VIEWS, nearestView, offeredTracks, possibleViews, union } from './views.js';

/** Long enough for ICE and DTLS over a bad network; Chromium gives up by itself after about 15 s. */
const CONNECT_TIMEOUT_MS = 15_000;
/** A cold source starts within two seconds; transcoding a large file on a small machine may take longer. */
const PICTURE_TIMEOUT_MS = 15_000;
/** The picture that is there stays meanwhile. */
const SWITCH_TIMEOUT_MS = 10_000;
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
  #deck;
  #commands = new Commands(this.#pc.createDataChannel('commands'));
  /** @type {RTCDataChannel | undefined} */
  #detections;
  /** By rendition, and `audio`. @type {Record<string, RTCRtpTransceiver>} */
  #transceivers = {};
  #settleLost;
  /** @type {Promise<void>} */
  lost = new Promise((resolve) => (this.#settleLost = resolve));
  /** What is shown. @type {import('./views.js').View} */
  view;
  /** What can be shown without another connection. @type {import('./views.js').View[]} */
  views = [];
  /** Moments on `performance.now()`: clicked, posted, answered, connected, firstFrame. */
  times;

  /** @param {import('./stage.js').Deck} deck shows the media @param {number} clickedAt when the person asked for it */
  constructor(deck, clickedAt) {
    this.#deck = deck;
    this.times = { clicked: clickedAt };
  }

  /**
   * Connects; resolves once the first picture is on the screen. Throws `ViewingError`; the caller closes.
   * @param {{ source: string, view: import('./views.js').View, detectorLoaded: boolean, signal: AbortSignal }} wanted
   */
  async open({ source, view, detectorLoaded, signal }) {
    const pc = this.#pc;
    const offered = offeredTracks(detectorLoaded);
    this.view = nearestView(view, possibleViews(offered, detectorLoaded));
    for (const rendition of offered) this.#receive(rendition, this.#deck.video(rendition));
    this.#receive('audio', this.#deck.audio);
    this.#followView();
    const active = VIEWS[this.view].tracks;
    const picture = Promise.race(active.map((rendition) => nextPicture(this.#deck.video(rendition)))).then((now) => (this.times.firstFrame = now));
    await pc.setLocalDescription();
    this.times.posted = performance.now();
    const answer = await postOffer({ sdp: pc.localDescription.sdp, type: 'offer', source, tracks: offered, active }, signal);
    this.times.answered = performance.now();
    signal.throwIfAborted();
    const connected = this.#watch();
    await pc.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
    this.#settleView(answer.tracks ?? offered, detectorLoaded);
    await within(connected, CONNECT_TIMEOUT_MS, 'connection-failed', signal);
    // The picture may have come in the same turn of the event loop in which `connected` was noticed.
    await within(this.#unlessLost(picture), PICTURE_TIMEOUT_MS, 'no-picture', signal);
  }

  /**
   * Changes the view; resolves once its pictures are there, and the ones before stay until then.
   * @param {import('./views.js').View} view one of `views` @param {AbortSignal} signal
   * @throws ViewingError when the server refuses or sends no picture: the view stays what it was
   */
  async show(view, signal) {
    const shown = VIEWS[this.view].tracks;
    const { tracks, detections } = VIEWS[view];
    const added = tracks.filter((track) => !shown.includes(track));
    if (detections) this.#openDetections();
    try {
      if (added.length > 0) {
        const pictures = Promise.all(added.map((rendition) => nextPicture(this.#deck.video(rendition))));
        // A server that knows no commands says nothing, and sends everything anyway.
        const answered = this.#commands.send('select', { tracks: union(shown, tracks) }).then(() => pictures);
        await within(this.#unlessLost(Promise.race([answered, pictures])), SWITCH_TIMEOUT_MS, 'no-switch', signal);
      }
      signal.throwIfAborted();
      this.view = view;
      this.#deck.show(view);
    } finally {
      // A switch that another one has overtaken leaves the settling to it.
      if (!signal.aborted) this.#followView(added.length > 0 || shown.length > tracks.length);
    }
  }

  /** @returns {Promise<RTCStatsReport>} */
  stats() {
    return this.#pc.getStats();
  }

  /** The id, in statistics, of the video that is looked at. */
  get shownTrackId() {
    return this.#transceivers[VIEWS[this.view].tracks[0]]?.receiver.track.id;
  }

  /** Boxes over the raw picture. */
  get overlay() {
    return this.#deck.overlay;
  }

  /** True when the server sends sound. */
  get hasAudio() {
    return this.#transceivers.audio?.currentDirection === 'recvonly';
  }

  /** Ends it; the server notices the closed connection. Idempotent. The last picture stays on its deck. */
  close() {
    this.#detections = undefined;
    this.#deck.overlay.stop();
    this.#pc.close();
    for (const element of [...this.#deck.videos, this.#deck.audio]) element.srcObject = null;
    this.#settleLost();
  }

  #receive(name, element) {
    const transceiver = this.#pc.addTransceiver(name === 'audio' ? 'audio' : 'video', { direction: 'recvonly' });
    this.#transceivers[name] = transceiver;
    element.srcObject = new MediaStream([transceiver.receiver.track]);
  }

  /** A server may send less than was asked for. */
  #settleView(tracks, detectorLoaded) {
    this.views = possibleViews(tracks, detectorLoaded);
    const view = nearestView(this.view, this.views);
    if (view === undefined) throw new ViewingError('NOTHING_TO_SERVE', 'the server sends no video');
    if (view === this.view) return;
    this.view = view;
    this.#followView(true);
  }

  /** Has the server send what the view needs and nothing else. */
  #followView(selects = false) {
    const { tracks, detections } = VIEWS[this.view];
    if (detections) this.#openDetections();
    else this.#closeDetections();
    // Whatever else flows costs bandwidth, not the picture.
    if (selects) this.#commands.send('select', { tracks }).catch(() => undefined);
  }

  #openDetections() {
    if (this.#detections) return;
    this.#deck.overlay.start(this.#transceivers.raw.receiver, Object.values(this.#transceivers).map(({ receiver }) => receiver));
    this.#openChannel(0);
  }

  /**
   * Unordered and never repeated: boxes that come late are of no use. A server closes the channel when its source
   * starts afresh or has no detector; asking again, ever more rarely, finds out when that has changed.
   */
  #openChannel(attempt) {
    const channel = this.#pc.createDataChannel('detections', { ordered: false, maxRetransmits: 0 });
    this.#detections = channel;
    let heard = false;
    channel.addEventListener('message', ({ data }) => {
      if (this.#detections === channel) heard = this.#deck.overlay.receive(data) || heard;
    });
    channel.addEventListener('close', () => {
      const again = heard ? 0 : attempt + 1;
      setTimeout(() => this.#detections === channel && this.#pc.connectionState === 'connected' && this.#openChannel(again), backoffS(again) * 1000);
    });
  }

  #closeDetections() {
    this.#detections?.close();
    this.#detections = undefined;
    this.#deck.overlay.stop();
  }

  #unlessLost(promise) {
    return Promise.race([promise, this.lost.then(() => Promise.reject(new ViewingError('connection-failed')))]);
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

/** The moment the next picture is presented. A page in the background presents none: there, decoded counts. */
function nextPicture(video) {
  return new Promise((resolve) => {
    const presents = 'requestVideoFrameCallback' in video;
    if (presents) video.requestVideoFrameCallback((now) => resolve(now));
    const hasData = () => (!presents || document.hidden) && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && resolve(performance.now());
    video.addEventListener('loadeddata', hasData, { once: true });
    document.addEventListener('visibilitychange', hasData, { once: true });
    hasData();
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
