/**
 * What a camera sends, for somebody who is about to add it. Cameras lock accounts after a few wrong passwords, so there is one probe
 * at a time and three a minute for a host, and one that was refused calls nobody again.
 */
import type { Timer } from '../../base/clock.js';
import { MediaPeerError, messageOf } from '../../base/errors.js';
import type { RecentCalls } from '../../base/recent-calls.js';
import { causeOf, probeLive, whyColourNotShown, type CameraCause, type FfmpegDeps, type LiveInput } from '../../ffmpeg/index.js';
import type { Delivery } from '../description.js';
import { planPull } from './plan.js';
import type { PullInput } from './read-entry.js';
import type { RefusedLogins } from './refused-logins.js';

/** What one stream was found to be. */
export interface ProbedStream {
  /** False where nothing could be had of it. */
  readonly isReachable: boolean;
  /** Why not, or why it is not copied, or not heard; in words, without credentials. */
  readonly problems: readonly string[];
  /** Why nothing could be had of it; undefined where something could, or nobody knows. */
  readonly cause: CameraCause | undefined;
  /** By ffmpeg's name; undefined where there is none. */
  readonly videoCodec: string | undefined;
  /** In pixels, as shown. */
  readonly widthPx: number | undefined;
  /** In pixels, as shown. */
  readonly heightPx: number | undefined;
  /** As the camera says, or a guess. */
  readonly fps: number | undefined;
  /** By ffmpeg's name; undefined where there is none. */
  readonly audioCodec: string | undefined;
  /** As the camera says; undefined where it does not. */
  readonly bitrateBps: number | undefined;
  /** Whether viewers get it as it comes; undefined where it cannot be played. */
  readonly delivery: Delivery | undefined;
}

/** What a probe found. */
export interface ProbeReport extends ProbedStream {
  /** Of the second stream; undefined where none is named, or it was not called. */
  readonly low: ProbedStream | undefined;
  /** How long it took, in ms. */
  readonly tookMs: number;
}

/** For both streams together. */
const DEADLINE_MS = 20_000;
/** A probe that goes on may last so long. */
const BUSY_RETRY_S = 5;

/** What a probe needs. */
export interface SourceProbeInit extends FfmpegDeps {
  /** How often a host may be called, by whatever calls it for somebody who adds a camera. */
  readonly calls: RecentCalls;
  /** What cameras have refused: whoever asks for a probe has a reason to try again, and what comes of it counts for all. */
  readonly logins: RefusedLogins;
}

/** Probes cameras. */
export class SourceProbe {
  readonly #deps: SourceProbeInit;
  readonly #stop = new AbortController();
  #running: Promise<unknown> | undefined;

  constructor(deps: SourceProbeInit) {
    this.#deps = deps;
  }

  /**
   * Calls a camera once. @param signal given up when it is aborted
   * @throws MediaPeerError TOO_MANY_REQUESTS; the signal's reason
   */
  async probe(entry: PullInput, signal: AbortSignal): Promise<ProbeReport> {
    if (this.#running) throw tooMany('another probe is running; there is one at a time', BUSY_RETRY_S);
    this.#count(entry);
    const probing = this.#probe(entry, AbortSignal.any([signal, this.#stop.signal]));
    this.#running = probing.catch(() => undefined).finally(() => (this.#running = undefined));
    const report = await probing;
    signal.throwIfAborted();
    return report;
  }

  /** Gives up a probe that runs; resolves when nothing of it is left. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #probe(entry: PullInput, signal: AbortSignal): Promise<ProbeReport> {
    const { clock } = this.#deps;
    const startedMs = clock.now();
    const late = new AbortController();
    const deadline: Timer = clock.after(DEADLINE_MS, () => late.abort());
    try {
      const isOver = AbortSignal.any([signal, late.signal]);
      const main = await this.#look(entry, entry.input, isOver);
      const low = entry.low && main.isReachable ? await this.#look({ ...entry, wantsAudio: false }, entry.low, isOver) : undefined;
      return { ...main, low, tookMs: Math.round(clock.now() - startedMs) };
    } finally {
      deadline.cancel();
    }
  }

  async #look(entry: PullInput, input: LiveInput, signal: AbortSignal): Promise<ProbedStream> {
    try {
      const found = await probeLive(input, this.#deps, signal);
      this.#deps.logins.accepted(input);
      const unshown = found.video && whyColourNotShown(found.video, this.#deps.tools);
      const { description } = planPull({ ...entry, input }, found, this.#deps.tools) ?? {};
      const unplayable = description ? undefined : 'it sends nothing that can be played';
      const isPlayable = unshown === undefined && description?.playable === true;
      return {
        isReachable: true,
        problems: [unshown, unplayable, description?.reason, description?.audioReason].filter((problem) => problem !== undefined),
        cause: undefined,
        videoCodec: description?.videoCodec ?? undefined,
        widthPx: description?.widthPx ?? undefined,
        heightPx: description?.heightPx ?? undefined,
        fps: description?.fps ?? undefined,
        audioCodec: description?.audioCodec ?? undefined,
        bitrateBps: found.statedBps,
        delivery: isPlayable ? description.delivery : undefined,
      };
    } catch (error) {
      if (!signal.aborted) this.#deps.logins.failed(input, messageOf(error));
      const reason = signal.aborted ? `nothing could be seen of it within ${DEADLINE_MS / 1000} s` : messageOf(error);
      return { ...NOTHING, problems: [reason], cause: signal.aborted ? 'timeout' : causeOf(reason) };
    }
  }

  /** Refuses what comes too often. */
  #count({ input, low }: PullInput): void {
    const hosts = new Set([input, ...(low ? [low] : [])].map(hostOf));
    const waitS = this.#deps.calls.count(hosts);
    if (waitS !== undefined)
      throw tooMany(`this camera was called ${this.#deps.calls.max} times within a minute, and cameras lock accounts`, waitS);
  }
}

const NOTHING: ProbedStream = {
  isReachable: false,
  problems: [],
  cause: undefined,
  videoCodec: undefined,
  widthPx: undefined,
  heightPx: undefined,
  fps: undefined,
  audioCodec: undefined,
  bitrateBps: undefined,
  delivery: undefined,
};

/** Accounts are a camera's, whatever its ports; a device is its own. */
function hostOf({ address }: LiveInput): string {
  const asHttp = address.replace(/^[a-z]+:\/\//i, 'http://');
  return URL.canParse(asHttp) ? new URL(asHttp).hostname.replace(/\.$/, '') : address;
}

function tooMany(why: string, retryAfterS: number): MediaPeerError {
  return new MediaPeerError('TOO_MANY_REQUESTS', `${why}; try again in ${retryAfterS} s`, {
    retryAfterS,
    facts: { retry_after_s: retryAfterS },
  });
}
