/**
 * Publishers whose connection stands while their frames have stopped: logged after 5 s, asked to reconnect after
 * 10 s, and again and again with longer waits, because a camera that nobody watches over is a camera that stays dead.
 * Pure timing. Whoever owns it calls `tick` once a second while the connection stands: time in which the network was
 * away is the business of ICE, and is not counted here.
 */
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import { ArrivalRate } from '../../media/index.js';
import type { Outage } from './outages.js';
import type { PublisherCommand } from '../api/requests.js';
import type { SilenceStatus } from '../api/status.js';

/** So many in a second say that it does not send seldom. */
const MANY_FRAMES = 4;
const CHECK_INTERVAL_MS = 5000;
/** Silence that is logged. One that sends seldom is given the time that is usual with it. */
const SILENT_MS = 5000;
/** Silence after which the camera is asked to reconnect. */
const DEAD_MS = 10_000;
/** Waits between two requests; the last one repeats. A camera that reboots takes half a minute. */
const WAITS_MS = [30_000, 60_000, 120_000] as const;
/** A wait is longer by up to this share, so that cameras that died together do not come back together. */
const JITTER = 0.2;
/** Time between two ticks beyond which the connection was away in between. */
const MAX_TICK_GAP_MS = 3000;

/** What is watched, and what follows. */
export interface PublisherWatchInit {
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often it is asked to reconnect; 0: without end. */
  readonly maxAttempts: number;
  /** Asks the camera. */
  readonly command: (command: PublisherCommand) => void;
  /** In [0, 1); replaced in tests. */
  readonly random?: () => number;
}

/** Watches the frames of one publisher. */
export class PublisherWatch {
  readonly #init: PublisherWatchInit;
  #frames: number | undefined;
  #lastFrameMs: number;
  #lastTickMs: number;
  #lastCheckMs: number;
  #nextRequestMs = -Infinity;
  #failures = 0;
  #requests = 0;
  #recoveries = 0;
  #isPaused = false;
  readonly #rate = new ArrivalRate();
  /** Where the outage began on an earlier connection. */
  #outageSinceMs: number | undefined;

  constructor(init: PublisherWatchInit) {
    this.#init = init;
    this.#lastFrameMs = this.#lastTickMs = this.#lastCheckMs = init.clock.now();
  }

  /** The connection before this one ended in silence: the camera did as it was asked. */
  continue({ sinceMs, failures, requests, nextRequestMs }: Outage): void {
    this.#outageSinceMs = sinceMs;
    this.#failures = failures;
    this.#requests = requests;
    this.#nextRequestMs = nextRequestMs;
  }

  get stats(): SilenceStatus {
    return { failures: this.#failures, requests: this.#requests, recoveries: this.#recoveries };
  }

  /** For the connection after this one; undefined while all is well. */
  get outage(): Outage | undefined {
    if (this.#failures === 0) return undefined;
    return {
      sinceMs: this.#outageSinceMs ?? this.#lastFrameMs,
      failures: this.#failures,
      requests: this.#requests,
      nextRequestMs: this.#nextRequestMs,
    };
  }

  /** The publisher stops on purpose: its silence is none. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#rate.interrupt();
    this.#lastFrameMs = this.#init.clock.now();
  }

  /** @param frames that came since the beginning: of video, or of audio where there is no video. */
  tick(frames: number): void {
    const now = this.#init.clock.now();
    const wasAway = now - this.#lastTickMs > MAX_TICK_GAP_MS;
    this.#lastTickMs = now;
    if (frames !== (this.#frames ?? 0)) this.#framesCame(frames - (this.#frames ?? 0), now);
    else if (wasAway || this.#isPaused) this.#lastFrameMs = now;
    this.#frames = frames;
    if (now - this.#lastCheckMs < CHECK_INTERVAL_MS && now - this.#lastFrameMs < this.#deadMs(now)) return;
    this.#check(now);
  }

  #framesCame(count: number, now: number): void {
    const { logger } = this.#init;
    if (this.#failures > 0) {
      this.#recoveries++;
      const facts = {
        awayMs: Math.round(now - (this.#outageSinceMs ?? this.#lastFrameMs)),
        failures: this.#failures,
        requests: this.#requests,
      };
      logger.info(facts, this.#requests > 0 ? 'reconnection successful' : 'frames are back');
    }
    this.#lastFrameMs = now;
    // An outage is not its rate.
    if (this.#requests > 0) this.#rate.interrupt();
    for (let i = 0; i < Math.min(count, MANY_FRAMES); i++) this.#rate.arrived(now, now);
    this.#outageSinceMs = undefined;
    this.#failures = this.#requests = 0;
    this.#nextRequestMs = -Infinity;
  }

  #check(now: number): void {
    const { logger, maxAttempts } = this.#init;
    const silentMs = now - this.#lastFrameMs;
    if (now - this.#lastCheckMs >= CHECK_INTERVAL_MS) {
      this.#lastCheckMs = now;
      if (silentMs < Math.max(SILENT_MS, this.#rate.silentAfterMs(now))) return;
      this.#failures++;
      // Each failure until the first request, then with each request: an outage may last all night.
      const facts = { failure: this.#failures, silentMs: Math.round(silentMs) };
      if (this.#requests === 0) logger.warn(facts, 'no frames');
      else logger.debug(facts, 'no frames');
    }
    if (silentMs < this.#deadMs(now) || now < this.#nextRequestMs || (maxAttempts > 0 && this.#requests >= maxAttempts)) return;
    this.#request(now, silentMs);
  }

  #deadMs(now: number): number {
    return (this.#frames ?? 0) > 0 ? this.#rate.deadAfterMs(now) : DEAD_MS;
  }

  #request(now: number, silentMs: number): void {
    const { logger, command, random = Math.random } = this.#init;
    const waitMs = (WAITS_MS[this.#requests] ?? 120_000) * (1 + JITTER * random());
    this.#requests++;
    this.#nextRequestMs = now + waitMs;
    const reason = `No frames for ${Math.round((now - (this.#outageSinceMs ?? this.#lastFrameMs)) / 1000)}s`;
    logger.warn(
      { request: this.#requests, failure: this.#failures, silentMs: Math.round(silentMs), nextRequestMs: Math.round(waitMs) },
      'publisher is asked to reconnect',
    );
    command({ command: 'reconnect', reason });
  }
}
