/**
 * Boxes over a raw video: takes the messages of the `detections` channel, draws on each presented frame what belongs
 * to it, and has the browser hold frames back a little where their boxes keep coming late.
 */
import { FramePairing, type DetectionsMessage, type FrameBoxes, type PairingCounts } from '/sightline.js';
import { DelayControl } from './delay-control.js';
import { DetectorRate, type DetectorFigures } from './detector-rate.js';
import { FrameClock, type Exactness } from './frame-clock.js';
import { OverlayPainter } from './painter.js';
import type { OverlaySettings } from './settings.js';
import type { Shape } from './zones.js';

/** What an overlay can tell of itself. */
export interface OverlayFigures {
  /** Of frames and messages, since the overlay began. */
  readonly counts: PairingCounts;
  /** The message of the latest frame. */
  readonly newest: DetectionsMessage | undefined;
  /** Undefined before there are two messages. */
  readonly detector: DetectorFigures | undefined;
  /** How frames are told apart; undefined before the first one. */
  readonly exactness: Exactness | undefined;
  /** For how long the browser is asked to hold frames back, ms. */
  readonly delayMs: number;
}

/** What is known of one viewing; begins afresh with each. */
class Run {
  readonly pairing = new FramePairing();
  readonly delay = new DelayControl();
  readonly rate = new DetectorRate();
}

/** What the screen shows. `rtpTimestamp`: undefined where frames cannot be told apart, or none was presented. */
interface Shown {
  readonly rtpTimestamp?: number | undefined;
  readonly boxes?: FrameBoxes;
}

/** The overlay of one video element. */
export class Overlay {
  readonly #video: HTMLVideoElement;
  readonly #painter: OverlayPainter;
  readonly #settings: OverlaySettings;
  #run = new Run();
  #clock: FrameClock | undefined;
  #receivers: readonly RTCRtpReceiver[] = [];
  #shown: Shown = {};
  #shapes: readonly Shape[] = [];
  #trouble: string | undefined;
  #bufferMs = 0;
  #heardAtMs = 0;

  /** @param canvas over the video */
  constructor(video: HTMLVideoElement, canvas: HTMLCanvasElement, settings: OverlaySettings) {
    this.#video = video;
    this.#painter = new OverlayPainter(canvas);
    this.#settings = settings;
  }

  /**
   * Draws from now on; counts begin afresh.
   * @param receiver of the video
   * @param together all that must be held back alike
   */
  start(receiver: RTCRtpReceiver, together: readonly RTCRtpReceiver[]): void {
    this.stop();
    this.#run = new Run();
    this.#receivers = together;
    this.#trouble = undefined;
    this.#heardAtMs = performance.now();
    this.#clock = new FrameClock(this.#video, receiver, (rtpTimestamp, nowMs) => this.#frame(rtpTimestamp, nowMs));
  }

  /** Takes everything away. Idempotent. */
  stop(): void {
    this.#clock?.stop();
    this.#clock = undefined;
    this.#hold(0);
    this.#painter.clear();
    this.#shown = {};
  }

  /** A message of the channel. */
  receive(message: DetectionsMessage): void {
    this.#trouble = undefined;
    if (!this.#clock) return;
    const nowMs = performance.now();
    const { pairing, delay, rate } = this.#run;
    this.#heardAtMs = nowMs;
    rate.add(message.inference_ms, nowMs);
    const { latenessMs, isOnScreen } = pairing.add(message, nowMs);
    // Newer boxes of an earlier frame are better than those that stand in for the frame's own.
    if (isOnScreen || this.#shown.boxes?.kind !== 'paired') this.redraw();
    if (latenessMs === undefined || this.#clock.exactness === 'none') return;
    if (delay.sample(latenessMs, nowMs, this.#bufferMs)) this.#hold(delay.targetMs);
  }

  /** The server says why it sends nothing. */
  refuse(why: string): void {
    this.#trouble = why;
  }

  /** Why the server sends nothing, in its words; undefined while it sends. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Since the last message, ms. */
  get silenceMs(): number {
    return performance.now() - this.#heardAtMs;
  }

  /** Zones and lines of the source, drawn on every frame. */
  setShapes(shapes: readonly Shape[]): void {
    this.#shapes = shapes;
    this.redraw();
  }

  /** How long the browser holds frames at present, ms. */
  setBuffer(bufferMs: number): void {
    this.#bufferMs = bufferMs;
  }

  /** Draws the frame on the screen again, as settings or the element's size have changed. */
  redraw(): void {
    if (!this.#clock) return;
    const { rtpTimestamp } = this.#shown;
    this.#draw(rtpTimestamp === undefined ? this.#newest() : this.#run.pairing.boxesAt(rtpTimestamp), rtpTimestamp);
  }

  /** What there is to tell. */
  figures(): OverlayFigures {
    const { pairing, delay, rate } = this.#run;
    const { counts, newest } = pairing;
    return { counts, newest, detector: rate.figures, exactness: this.#clock?.exactness, delayMs: delay.targetMs };
  }

  #frame(rtpTimestamp: number | undefined, nowMs: number): void {
    // Told by the receiver, one frame may be seen twice.
    if (rtpTimestamp !== undefined && rtpTimestamp === this.#shown.rtpTimestamp) return;
    this.#draw(rtpTimestamp === undefined ? this.#newest() : this.#run.pairing.present(rtpTimestamp, nowMs), rtpTimestamp);
  }

  /** Where frames cannot be told apart, the newest boxes are the best guess. */
  #newest(): FrameBoxes {
    const message = this.#run.pairing.newest;
    return { kind: message ? 'moved' : 'none', objects: message?.objects ?? [], message, visibility: 1, ageS: 0 };
  }

  #draw(boxes: FrameBoxes, rtpTimestamp: number | undefined): void {
    this.#shown = { rtpTimestamp, boxes };
    const { pairing } = this.#run;
    this.#painter.paint({
      boxes: { ...boxes, objects: boxes.objects.filter((object) => this.#settings.shows(object)) },
      // Detections may fail to come, zones lie where they lie; the newest message says what they count.
      facts: boxes.message ?? pairing.newest ?? { width: this.#video.videoWidth, height: this.#video.videoHeight },
      layers: this.#settings.layers,
      trail: (objectId) => (rtpTimestamp === undefined ? [] : pairing.trail(objectId, rtpTimestamp)),
      shapes: this.#shapes,
    });
  }

  /** Browsers without `jitterBufferTarget` cannot hold frames back: their boxes come late, and the readout says so. */
  #hold(delayMs: number): void {
    for (const receiver of this.#receivers)
      if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = delayMs > 0 ? delayMs : null;
  }
}
