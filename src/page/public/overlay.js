/**
 * Boxes over a raw picture: takes the messages of a `detections` channel, draws on each presented frame what
 * belongs to it, and has the browser hold frames back a little where their boxes keep coming late.
 */
import { DelayControl } from './delay-control.js';
import { parseDetections } from './detections.js';
import { FrameClock } from './frame-clock.js';
import { FramePairing } from './frame-pairing.js';
import { OverlayPainter } from './overlay-painter.js';

export class Overlay {
  #video;
  #painter;
  #settings;
  #pairing = new FramePairing();
  #delay = new DelayControl();
  /** @type {FrameClock | undefined} */
  #clock;
  #receivers = [];
  #shown = { rtp: undefined, boxes: undefined };
  /** @type {import('./zones.js').Shape[]} */
  #shapes = [];
  /** How long the browser holds frames at present, ms. */
  bufferMs = 0;
  /** Why the server sends nothing, in its words. @type {string | undefined} */
  trouble;
  #heardAt = 0;

  /** @param {HTMLVideoElement} video @param {HTMLCanvasElement} canvas over it @param {import('./overlay-settings.js').OverlaySettings} settings */
  constructor(video, canvas, settings) {
    this.#video = video;
    this.#painter = new OverlayPainter(canvas);
    this.#settings = settings;
  }

  /**
   * Draws from now on; counts begin afresh.
   * @param {RTCRtpReceiver} receiver of the picture @param {RTCRtpReceiver[]} together all that must be held back alike
   */
  start(receiver, together) {
    this.stop();
    this.#pairing = new FramePairing();
    this.#delay = new DelayControl();
    this.#receivers = together;
    this.trouble = undefined;
    this.#heardAt = performance.now();
    this.#clock = new FrameClock(this.#video, receiver, (rtp, now) => this.#frame(rtp, now));
  }

  /** Zones and lines of the source, drawn on every frame. @param {import('./zones.js').Shape[]} shapes */
  set shapes(shapes) {
    this.#shapes = shapes;
    this.redraw();
  }

  /** Idempotent. */
  stop() {
    this.#clock?.stop();
    this.#clock = undefined;
    this.#hold(0);
    this.#painter.clear();
    this.#shown = { rtp: undefined, boxes: undefined };
  }

  /** @param {unknown} received a message of the channel */
  receive(received) {
    const message = parseDetections(received);
    if (!message) return;
    this.trouble = undefined;
    if (!this.#clock) return;
    const now = performance.now();
    this.#heardAt = now;
    const { latenessMs, isOnScreen } = this.#pairing.add(message, now);
    // Newer boxes of an earlier frame are better than those that stand in for the frame's own.
    if (isOnScreen || this.#shown.boxes?.kind !== 'paired') this.redraw();
    if (latenessMs !== undefined && this.#clock.exactness !== 'none' && this.#delay.sample(latenessMs, now, this.bufferMs)) this.#hold(this.#delay.targetMs);
  }

  /** Since the last message, ms. */
  get silenceMs() {
    return performance.now() - this.#heardAt;
  }

  /** Draws the frame on the screen again, as settings or the element's size have changed. */
  redraw() {
    if (!this.#clock) return;
    const { rtp } = this.#shown;
    this.#draw(rtp === undefined ? this.#newest() : this.#pairing.boxesAt(rtp), rtp);
  }

  /** What there is to tell. */
  figures() {
    const { counts, newest } = this.#pairing;
    return { ...counts, newest, detector: this.#pairing.detector(), exactness: this.#clock?.exactness, delayMs: this.#delay.targetMs };
  }

  #frame(rtp, now) {
    // Told by the receiver, one frame may be seen twice.
    if (rtp !== undefined && rtp === this.#shown.rtp) return;
    this.#draw(rtp === undefined ? this.#newest() : this.#pairing.present(rtp, now), rtp);
  }

  /** Where frames cannot be told apart, the newest boxes are the best guess. */
  #newest() {
    const message = this.#pairing.newest;
    return { kind: message ? 'moved' : 'none', objects: message?.objects ?? [], message, visibility: 1, ageS: 0 };
  }

  #draw(boxes, rtp) {
    this.#shown = { rtp, boxes };
    // Detections may fail to come, zones lie where they lie; the newest message says what they count.
    const told = boxes.message ?? this.#pairing.newest ?? { width: this.#video.videoWidth, height: this.#video.videoHeight };
    this.#painter.paint({
      boxes: { ...boxes, objects: boxes.objects.filter((object) => this.#settings.shows(object)) },
      told,
      layers: this.#settings.layers,
      trail: (objectId) => (rtp === undefined ? [] : this.#pairing.trail(objectId, rtp)),
      shapes: this.#shapes,
    });
  }

  /** Older browsers have no such wish to fulfil: their boxes come late, and the readout says so. */
  #hold(delayMs) {
    for (const receiver of this.#receivers) if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = delayMs > 0 ? delayMs : null;
  }
}
