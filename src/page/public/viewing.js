/**
 * One viewing: a source on the stage, over the connection that the client library keeps. It offers a video m-line for
 * each rendition and has the server send only those that are looked at; changing the view changes what is sent, not
 * the connection. Detections are asked for where the view shows them.
 */
import { VIEWS, nearestView, offeredTracks, possibleViews, union } from './views.js';
import { watch } from './sightline.js';

/** The picture that is there stays meanwhile. */
const SWITCH_TIMEOUT_MS = 10_000;

/** Why the view stayed what it was. */
export class SwitchError extends Error {
  constructor(code, message = code) {
    super(message);
    this.code = code;
  }
}

export class Viewing {
  #deck;
  /** @type {import('../../client/index.js').Watching} */
  #watching;
  #detectorLoaded;
  #clickedAt;
  #firstFrameAt;
  /** @type {Map<string, RTCRtpReceiver>} */
  #receivers = new Map();
  #hasFreshReceivers = false;
  #stopDetections;
  /** What is shown. @type {import('./views.js').View} */
  view;

  /**
   * @param {import('./stage.js').Deck} deck shows the media
   * @param {{ source: string, view: import('./views.js').View, token?: string }} wanted
   * @param {object} context
   * @param {number} context.clickedAt when the person asked for it
   * @param {boolean} context.detectorLoaded what is known of the server
   * @param {(change: import('../../client/index.js').StateChange) => void} context.onState
   * @param {() => void} context.onPicture the first picture of the view is on the screen
   */
  constructor(deck, { source, view, token }, { clickedAt, detectorLoaded, onState, onPicture }) {
    this.#deck = deck;
    this.#clickedAt = clickedAt;
    this.#detectorLoaded = detectorLoaded;
    const tracks = offeredTracks(detectorLoaded);
    this.view = nearestView(view, possibleViews(tracks, detectorLoaded));
    const active = VIEWS[this.view].tracks;
    this.#watching = watch({
      source,
      tracks,
      active,
      token,
      video: { raw: deck.video('raw'), processed: deck.video('processed'), audio: deck.audio },
      onTrack: ({ name, receiver }) => {
        this.#receivers.set(name, receiver);
        this.#hasFreshReceivers = true;
      },
      onState: (change) => {
        if (change.state === 'connected') this.#connected();
        onState(change);
      },
      onError: ({ message }) => (deck.overlay.trouble = message),
    });
    void this.#firstPicture(active).then((now) => {
      this.#firstFrameAt = now;
      onPicture();
    });
    this.#followView();
  }

  /** @returns {import('../../client/index.js').State} */
  get state() {
    return this.#watching.state;
  }

  /** What can be shown without another connection. @returns {import('./views.js').View[]} */
  get views() {
    return possibleViews(this.#watching.tracks, this.#detectorLoaded);
  }

  /** Moments on `performance.now()`: clicked, posted, answered, connected, firstFrame. */
  get times() {
    return { clicked: this.#clickedAt, ...this.#watching.times, firstFrame: this.#firstFrameAt };
  }

  /** @returns {Promise<RTCStatsReport | undefined>} */
  stats() {
    return this.#watching.stats();
  }

  /** The id, in statistics, of the video that is looked at. */
  get shownTrackId() {
    return this.#receivers.get(VIEWS[this.view].tracks[0])?.track.id;
  }

  /** Boxes over the raw picture. */
  get overlay() {
    return this.#deck.overlay;
  }

  /** True when the server sends sound. */
  get hasAudio() {
    return this.#watching.hasAudio;
  }

  /**
   * Changes the view; resolves once its pictures are there, and the ones before stay until then.
   * @param {import('./views.js').View} view one of `views` @param {AbortSignal} signal
   * @throws Error with a code when the server refuses or sends no picture: the view stays what it was
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
        const answered = this.#watching.select(union(shown, tracks)).then(() => pictures);
        await within(Promise.race([answered, pictures]), SWITCH_TIMEOUT_MS, signal);
      }
      signal.throwIfAborted();
      this.view = view;
      this.#deck.show(view);
    } finally {
      // A switch that another one has overtaken leaves the settling to it.
      if (!signal.aborted) this.#followView(added.length > 0 || shown.length > tracks.length);
    }
  }

  /** Connects again now. */
  reconnect() {
    this.#watching.reconnect();
  }

  /** Idempotent. The last picture stays on its deck. */
  close() {
    this.#closeDetections();
    this.#watching.close();
  }

  /** Another connection has other receivers, and a server may send less than was asked for. */
  #connected() {
    if (!this.#hasFreshReceivers) return;
    this.#hasFreshReceivers = false;
    if (this.#stopDetections) this.#startOverlay();
    const view = nearestView(this.view, this.views);
    if (view === undefined || view === this.view) return;
    this.view = view;
    this.#followView(true);
  }

  /** Has the server send what the view needs and nothing else. */
  #followView(selects = false) {
    const { tracks, detections } = VIEWS[this.view];
    if (detections) this.#openDetections();
    else this.#closeDetections();
    // Whatever else flows costs bandwidth, not the picture.
    if (selects) this.#watching.select(tracks).catch(() => undefined);
  }

  /** Browsers present a black picture where a connection is given up: one that comes while there is none is not of the source. */
  async #firstPicture(active) {
    for (;;) {
      const now = await Promise.race(active.map((rendition) => nextPicture(this.#deck.video(rendition))));
      if (stands(this.state)) return now;
      await new Promise((resolve) => {
        const stop = this.#watching.on('state', ({ state }) => {
          if (!stands(state)) return;
          stop();
          resolve();
        });
      });
    }
  }

  #openDetections() {
    if (this.#stopDetections) return;
    this.#stopDetections = this.#watching.on('detections', (message) => this.#deck.overlay.receive(message));
    if (this.#receivers.size > 0) this.#startOverlay();
  }

  #startOverlay() {
    this.#deck.overlay.start(this.#receivers.get('raw'), [...this.#receivers.values()]);
  }

  #closeDetections() {
    this.#stopDetections?.();
    this.#stopDetections = undefined;
    this.#watching.receiveDetections(false);
    this.#deck.overlay.stop();
  }
}

/** @param {import('../../client/index.js').State} state of a watching */
function stands(state) {
  return state === 'connected' || state === 'playing';
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

async function within(promise, ms, signal) {
  let timer, onAbort;
  const stopped = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new SwitchError('NO_SWITCH')), ms);
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
