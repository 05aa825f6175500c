/**
 * One viewing: a source on the stage, over the connection that the client library keeps. It offers a video m-line for
 * each rendition and has the server send only those that are looked at; changing the view changes what is sent, not
 * the connection. Detections are asked for where the view shows them.
 */
import {
  SightlineError,
  watch,
  type Latency,
  type QualityChange,
  type Rendition,
  type State,
  type StateChange,
  type TrackName,
  type WatchedTrack,
  type Watching,
} from '/sightline.js';
import { serverUrl } from '../api/address.js';
import type { Overlay } from '../overlay/overlay.js';
import type { StatsReport } from '../shared/stats.js';
import type { Deck } from './deck.js';
import { inTime, nextFrame } from './presentation.js';
import type { ViewingTimes } from './figures.js';
import { AUTO } from './qualities.js';
import { VIEWS, nearestView, offeredTracks, possibleViews, union, type View } from './views.js';

/** The video that is there stays meanwhile. */
const SWITCH_TIMEOUT_MS = 10_000;

/** A source and a way to look at it. */
export interface Wanted {
  /** Name of the source. */
  readonly source: string;
  /** How to look at it. */
  readonly view: View;
  /** What was recorded then, Unix seconds. Undefined: the present. */
  readonly at?: number | undefined;
}

/** What a viewing is made of. */
export interface ViewingInit {
  /** Shows the media. */
  readonly deck: Deck;
  /** What is looked at first. */
  readonly wanted: Wanted;
  /** When the person asked for it, on `performance.now()`. */
  readonly clickedAtMs: number;
  /** What is known of the server. */
  readonly detectorLoaded: boolean;
  /** Each change of the connection. */
  readonly onState: (change: StateChange) => void;
  /** The first frame of the view is on the screen. */
  readonly onFirstFrame: () => void;
}

/** Begins with its construction; `close` ends it. */
export class Viewing {
  readonly #init: ViewingInit;
  readonly #watching: Watching;
  readonly #receivers = new Map<TrackName, RTCRtpReceiver>();
  #view: View;
  #firstFrameAtMs: number | undefined;
  #hasFreshReceivers = false;
  #stopDetections: (() => void) | undefined;
  #latency: Latency | undefined;
  #wishedQuality = AUTO;

  constructor(init: ViewingInit) {
    const { deck, wanted, detectorLoaded } = init;
    this.#init = init;
    const tracks = offeredTracks(detectorLoaded);
    this.#view = nearestView(wanted.view, possibleViews(tracks, detectorLoaded)) ?? 'raw';
    const active = VIEWS[this.#view].tracks;
    this.#watching = watch({
      server: serverUrl(),
      source: wanted.source,
      ...(wanted.at !== undefined && { at: wanted.at }),
      tracks,
      active,
      video: { raw: deck.video('raw'), processed: deck.video('processed'), audio: deck.audio },
      onTrack: (track) => this.#received(track),
      onState: (change) => this.#follow(change),
      onLatency: (latency) => (this.#latency = latency),
      onError: ({ message }) => deck.overlay.refuse(message),
    });
    void this.#awaitFirstFrame(active);
    this.#applyView();
  }

  /** What is shown. */
  get view(): View {
    return this.#view;
  }

  /** Of the connection. */
  get state(): State {
    return this.#watching.state;
  }

  /** What can be shown without another connection. */
  get views(): readonly View[] {
    return possibleViews(this.#watching.tracks, this.#init.detectorLoaded);
  }

  /** When what happened on the way to the first frame. */
  get times(): ViewingTimes {
    return { clicked: this.#init.clickedAtMs, ...this.#watching.times, firstFrame: this.#firstFrameAtMs };
  }

  /** How old the picture is; undefined where nobody tells. */
  get latency(): Latency | undefined {
    return this.#latency;
  }

  /** The id, in statistics, of the video that is looked at. */
  get shownTrackId(): string | undefined {
    return this.#receivers.get(VIEWS[this.#view].tracks[0])?.track.id;
  }

  /** Boxes over the raw video. */
  get overlay(): Overlay {
    return this.#init.deck.overlay;
  }

  /** What the server said of the quality of the pictures; undefined where it said nothing. */
  get quality(): QualityChange | undefined {
    return this.#watching.quality;
  }

  /** Name of the source. */
  get source(): string {
    return this.#init.wanted.source;
  }

  /** What the person asked for: `auto`, `source`, or a lower quality by its name. */
  get wishedQuality(): string {
    return this.#wishedQuality;
  }

  /** Has the server send the pictures in that quality from now on. @throws SightlineError when it cannot: it stays what it was */
  async selectQuality(quality: string): Promise<void> {
    await this.#watching.selectQuality(quality);
    this.#wishedQuality = quality;
  }

  /** What is watched: moves through what was recorded of the source, over the same connection. */
  get watching(): Watching {
    return this.#watching;
  }

  /** True when the server sends sound. */
  get hasAudio(): boolean {
    return this.#watching.hasAudio;
  }

  /** Of the present connection; undefined where there is none. */
  stats(): Promise<StatsReport | undefined> {
    return this.#watching.stats();
  }

  /**
   * Changes the view; resolves once its frames are there, and the ones before stay until then.
   * @param view one of `views`
   * @param signal gives it up
   * @throws SightlineError when the server refuses or sends no frame (`NO_SWITCH`): the view stays what it was
   */
  async show(view: View, signal: AbortSignal): Promise<void> {
    const shown = VIEWS[this.#view].tracks;
    const { tracks, detections } = VIEWS[view];
    const added = tracks.filter((track) => !shown.includes(track));
    if (detections) this.#openDetections();
    try {
      if (added.length > 0) await this.#awaitFrames(added, union(shown, tracks), signal);
      signal.throwIfAborted();
      this.#view = view;
      this.#init.deck.show(view);
    } finally {
      // A switch that another one has overtaken leaves the settling to it.
      if (!signal.aborted) this.#applyView(added.length > 0 || shown.length > tracks.length);
    }
  }

  /** Idempotent. The last frame stays on its deck. */
  close(): void {
    this.#closeDetections();
    this.#watching.close();
  }

  async #awaitFrames(added: readonly Rendition[], selected: readonly Rendition[], signal: AbortSignal): Promise<void> {
    const frames = Promise.all(added.map((rendition) => nextFrame(this.#init.deck.video(rendition))));
    // A server that knows no commands says nothing, and sends everything anyway.
    const answered = this.#watching.select(selected).then(() => frames);
    await inTime(Promise.race([answered, frames]), SWITCH_TIMEOUT_MS, signal, () => new SightlineError('NO_SWITCH'));
  }

  #received({ name, receiver }: WatchedTrack): void {
    this.#receivers.set(name, receiver);
    this.#hasFreshReceivers = true;
  }

  #follow(change: StateChange): void {
    if (change.state === 'connected') this.#connected();
    this.#init.onState(change);
  }

  /** Another connection has other receivers, and a server may send less than was asked for. */
  #connected(): void {
    if (!this.#hasFreshReceivers) return;
    this.#hasFreshReceivers = false;
    if (this.#stopDetections) this.#startOverlay();
    const view = nearestView(this.#view, this.views);
    if (view === undefined || view === this.#view) return;
    this.#view = view;
    this.#applyView(true);
  }

  /** Has the server send what the view needs and nothing else. */
  #applyView(selects = false): void {
    const { tracks, detections } = VIEWS[this.#view];
    if (detections) this.#openDetections();
    else this.#closeDetections();
    // Whatever else flows costs bandwidth, not the view.
    if (selects) this.#watching.select(tracks).catch(() => undefined);
  }

  /** Browsers present a black frame where a connection is given up: one that comes while there is none is not of the source. */
  async #awaitFirstFrame(active: readonly Rendition[]): Promise<void> {
    let nowMs: number;
    do {
      await this.#untilItStands();
      nowMs = await Promise.race(active.map((rendition) => nextFrame(this.#init.deck.video(rendition))));
    } while (!stands(this.state));
    this.#firstFrameAtMs = nowMs;
    this.#init.onFirstFrame();
  }

  async #untilItStands(): Promise<void> {
    if (stands(this.state)) return;
    await new Promise<void>((resolve) => {
      const stop = this.#watching.on('state', ({ state }) => {
        if (!stands(state)) return;
        stop();
        resolve();
      });
    });
  }

  #openDetections(): void {
    if (this.#stopDetections) return;
    this.#stopDetections = this.#watching.on('detections', (message) => this.overlay.receive(message));
    if (this.#receivers.size > 0) this.#startOverlay();
  }

  #startOverlay(): void {
    const receiver = this.#receivers.get('raw');
    if (receiver) this.overlay.start(receiver, [...this.#receivers.values()]);
  }

  #closeDetections(): void {
    this.#stopDetections?.();
    this.#stopDetections = undefined;
    this.#watching.receiveDetections(false);
    this.overlay.stop();
  }
}

function stands(state: State): boolean {
  return state === 'connected' || state === 'playing';
}
