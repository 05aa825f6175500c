/**
 * Shares one detector among sources. It never queues: a source that offers pictures while the detector is busy
 * is remembered with its newest one alone, and sources take turns. A source is looked at no more often than its
 * limit says.
 */
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { VideoFrame } from '../media/index.js';
import type { DetectionResult, Detector } from './detector.js';

/** Which detector is shared. */
export interface SchedulerInit {
  /** The detector. */
  readonly detector: Pick<Detector, 'detect' | 'isBusy' | 'state'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A source that wants to be looked at. */
export interface RegistrationInit {
  /** Detections a second at most. */
  readonly maxFps: number;
  /** Called with what was found in one of its frames. */
  readonly onResult: (result: DetectionResult) => void;
}

/** A failing detector is reported once in this time. */
const REPORT_INTERVAL_MS = 5000;

/** Shares one detector. */
export class DetectionScheduler {
  readonly #init: SchedulerInit;
  /** In the order of their turns: who was served last stands last. */
  #registrations: DetectionRegistration[] = [];
  #lastReportMs = -Infinity;

  constructor(init: SchedulerInit) {
    this.#init = init;
  }

  get detectorState(): Detector['state'] {
    return this.#init.detector.state;
  }

  /** Sources with a picture that waits to be looked at. */
  get waiting(): number {
    return this.#registrations.filter(({ hasPicture }) => hasPicture).length;
  }

  /** Adds a source; close the registration to remove it. */
  register(sourceId: string, init: RegistrationInit): DetectionRegistration {
    const registration: DetectionRegistration = new DetectionRegistration(init, {
      now: () => this.#init.clock.now(),
      wake: () => this.#next(),
      remove: () => (this.#registrations = this.#registrations.filter((other) => other !== registration)),
    });
    this.#init.logger.debug({ sourceId, maxFps: init.maxFps }, 'source registered for detection');
    this.#registrations.push(registration);
    return registration;
  }

  #next(): void {
    const { detector, clock, logger } = this.#init;
    if (detector.isBusy || detector.state !== 'ready') return;
    const registration = this.#registrations.find((candidate) => candidate.hasPicture);
    const picture = registration?.takePicture();
    if (!registration || !picture) return;
    this.#registrations = [...this.#registrations.filter((other) => other !== registration), registration];
    detector
      .detect(picture)
      .then((result) => registration.succeeded(result))
      .catch((error: unknown) => {
        registration.failed();
        if (clock.now() - this.#lastReportMs < REPORT_INTERVAL_MS) return;
        this.#lastReportMs = clock.now();
        logger.warn({ err: error }, 'detection failed');
      })
      .finally(() => this.#next());
    picture.release();
  }
}

/** One source's place in the queue. */
export class DetectionRegistration {
  framesDetected = 0;
  framesSkipped = 0;
  framesSlept = 0;
  failures = 0;
  /** Picture in to detections out, moving average in ms; undefined before the first. */
  latencyMs: number | undefined;
  readonly #init: RegistrationInit;
  readonly #scheduler: { now(): number; wake(): void; remove(): void };
  #picture: VideoFrame | undefined;
  /** When the picture that waits, and the one that is looked at, were offered. */
  #offeredMs = 0;
  #takenOfferMs = 0;
  #isLookedAt = false;
  #nextMediaTimeMs = -Infinity;
  #isClosed = false;

  constructor(init: RegistrationInit, scheduler: { now(): number; wake(): void; remove(): void }) {
    this.#init = init;
    this.#scheduler = scheduler;
  }

  get hasPicture(): boolean {
    return this.#picture !== undefined;
  }

  /** Offers every picture of the source, in order. Never waits; keeps a reference only while it needs one. */
  offer(picture: VideoFrame): void {
    if (this.#isClosed) return;
    // Half a millisecond of tolerance: stamps are rounded.
    if (picture.mediaTimeMs < this.#nextMediaTimeMs - 0.5) {
      this.framesSkipped++;
      return;
    }
    if (this.#picture) {
      this.framesSkipped++;
      this.#picture.release();
    }
    this.#picture = picture.retain();
    this.#offeredMs = this.#scheduler.now();
    this.#scheduler.wake();
  }

  /** Offers a picture that need not be looked at. True where a look was due, and is spared: nothing of before is still looked at. */
  sleep(picture: VideoFrame): boolean {
    if (this.#isClosed || this.#isLookedAt || this.#picture || picture.mediaTimeMs < this.#nextMediaTimeMs - 0.5) return false;
    this.#setNext(picture.mediaTimeMs);
    this.framesSlept++;
    return true;
  }

  /** The picture to look at, with its reference. */
  takePicture(): VideoFrame | undefined {
    const picture = this.#picture;
    this.#picture = undefined;
    if (picture) {
      this.#takenOfferMs = this.#offeredMs;
      this.#isLookedAt = true;
      this.#setNext(picture.mediaTimeMs);
    }
    return picture;
  }

  succeeded(result: DetectionResult): void {
    this.#isLookedAt = false;
    if (this.#isClosed) return;
    const latencyMs = this.#scheduler.now() - this.#takenOfferMs;
    this.framesDetected++;
    this.latencyMs = this.latencyMs === undefined ? latencyMs : this.latencyMs * 0.9 + latencyMs * 0.1;
    this.#init.onResult(result);
  }

  failed(): void {
    this.#isLookedAt = false;
    this.failures++;
  }

  /** Leaves the queue. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#picture?.release();
    this.#picture = undefined;
    this.#scheduler.remove();
  }

  /** On the source's own beat where possible, so that a limit of half the rate takes every second picture. */
  #setNext(mediaTimeMs: number): void {
    const periodMs = 1000 / this.#init.maxFps;
    const onBeat = this.#nextMediaTimeMs + periodMs;
    this.#nextMediaTimeMs = onBeat > mediaTimeMs ? onBeat : mediaTimeMs + periodMs;
  }
}
