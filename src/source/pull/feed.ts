/**
 * A camera that is connected, for as long as somebody watches it: one ffmpeg after the other connects to it, and viewers see a
 * slate while none is answered. When the camera turns out to send something else than was known, the feed ends as
 * `replaced`, and another one follows on its timeline.
 */
import { whenAborted } from '../../base/abort.js';
import { delay } from '../../base/clock.js';
import { MediaPeerError, messageOf } from '../../base/errors.js';
import { Backoff, inWords, saysAway, type LiveInput } from '../../ffmpeg/index.js';
import { Timeline, type ArrivalRate, type EndReason } from '../../media/index.js';
import type { MediaRun } from '../media-run.js';
import { PullDelivery } from './delivery.js';
import { isSamePlan, type PullKnowledge } from './plan.js';
import { LowLayer } from './low-layer.js';
import type { RefusedLogins } from './refused-logins.js';
import type { LowStream } from './low-stream.js';
import { openPullRun } from './run.js';
import type { SourceLayer } from '../layer.js';
import type { Caption } from '../picture-slate.js';
import type { FeedEnd, FeedInfo, FeedOptions, FeedSink, SourceFeed } from '../source.js';

/** A camera that starts takes half a minute: connecting more often than every few seconds is of no use. */
const BACKOFF = { firstMs: 500, maxMs: 5_000, stableMs: 10_000 };
/** The first of so many calls without a frame is followed by a look whether the camera sends something else now. */
const LOOK_EVERY = 3;
/** One that falls silent again and again may send less often than it did: it is given more time with each. */
const MAX_DEAD_MS = 40_000;
const SILENT_END_MS = 5_000;
/** Between two looks whether what was refused may be shown again. */
const LOGIN_LOOK_MS = 10_000;
/** So many frames say that it does not. */
const MANY_FRAMES = 100;

/** What a feed asks of its source. */
export interface PullHost {
  /** Id of the source. */
  readonly name: string;
  /** What is opened, as it is described now. */
  readonly input: () => LiveInput;
  /** What the camera was found to send. */
  readonly knowledge: PullKnowledge;
  /** True where that was at another address: it is looked before anything is played. */
  readonly mustLook: boolean;
  /** Writes the text of the slate. */
  readonly caption: Caption;
  /** Calls the camera to see what it sends. Given up when the signal is aborted. @throws MediaPeerError */
  look(signal: AbortSignal): Promise<PullKnowledge>;
  /** Remembers that it cannot be copied after all. */
  refuse(reason: string): void;
  /** Remembers that its sound cannot be had. */
  mute(reason: string): void;
  /** Measures how many frames per second come. */
  readonly rate: ArrivalRate;
  /** Its second stream; undefined where it has none. */
  readonly low: LowStream | undefined;
  /** What cameras have refused. */
  readonly logins: RefusedLogins;
}

/** What viewers of a camera get while somebody watches. */
export class PullFeed implements SourceFeed {
  readonly info: FeedInfo;
  readonly timeline: Timeline;
  readonly closed: Promise<FeedEnd>;
  restarts = 0;
  lastError: string | undefined;
  trouble: string | undefined;
  readonly #host: PullHost;
  readonly #options: FeedOptions;
  readonly #delivery: PullDelivery;
  readonly #stop = new AbortController();
  /** Ends the wait before the next call. */
  #wake = new AbortController();
  /** It is to be seen what comes from another address, before anything of it is played. */
  #mustLook: boolean;
  /** Another feed has to follow, whatever comes. */
  #isOutdated = false;
  #run: MediaRun | undefined;
  /** Calls in a row that gave no frame. */
  #fruitless = 0;
  /** Of the present call. */
  #frames = 0;
  #lastFrameMs = -Infinity;
  /** Calls in a row that ended because no more pictures came. */
  #silentEnds = 0;
  #isMute = false;
  /** What the present call, which has no sound, follows: where pictures come, the sound was to blame. */
  #whyMute: string | undefined;
  #end: FeedEnd | undefined;
  readonly #lowLayer: LowLayer | undefined;

  constructor(host: PullHost, sink: FeedSink, options: FeedOptions) {
    this.#host = host;
    this.#options = options;
    this.#mustLook = host.mustLook;
    const { plan } = host.knowledge;
    const { widthPx, heightPx, fps, delivery, copiedCodec: codec, copiedSize, hasAudio } = plan;
    this.info = { widthPx, heightPx, fps, delivery, codec, copiedSize, hasAudio };
    this.timeline = options.timeline ?? new Timeline();
    this.#delivery = new PullDelivery({
      name: host.name,
      plan,
      timeline: this.timeline,
      caption: host.caption,
      sink,
      deps: options,
      rate: host.rate,
      onFrame: () => this.#frameCame(),
      onDelivered: (mediaTimeMs) => this.#lowLayer?.first(mediaTimeMs),
      onRefusal: (reason) => {
        host.refuse(reason);
        this.#finish({ reason: 'replaced' });
      },
    });
    const { low } = host;
    this.#lowLayer =
      low &&
      new LowLayer({
        name: host.name,
        low,
        deps: options,
        nowMs: () => this.#delivery.nowMs,
        onChange: () => sink.layersChanged?.(),
      });
    this.closed = this.#live();
  }

  get layersProblem(): string | undefined {
    return this.#host.low?.problem;
  }

  /** Its second stream, where it can be copied. */
  get layers(): readonly SourceLayer[] {
    return this.#lowLayer?.layers ?? [];
  }

  /** Whether the slate is shown. */
  get live(): NonNullable<SourceFeed['live']> {
    const { isWaiting } = this.#delivery;
    return { state: isWaiting ? 'waiting' : 'live', publisherId: undefined, isWaiting };
  }

  get end(): FeedEnd | undefined {
    return this.#end;
  }

  close(reason: EndReason = 'viewer-left'): Promise<FeedEnd> {
    this.#finish({ reason });
    return this.closed;
  }

  /** The camera is at another address now: what it reads ends, and it is looked what comes from there. @param mustReplace another feed has to follow */
  callAnew(mustReplace: boolean): void {
    if (this.#end) return;
    this.#mustLook = true;
    this.#isOutdated ||= mustReplace;
    this.#isMute = false;
    this.#whyMute = undefined;
    this.#wake.abort();
    // Its end is awaited by the loop; it never rejects.
    void this.#run?.close();
  }

  /** Something else is made of what the camera sends. @param knowledge undefined: it is not known, and being looked at @param mustReplace another feed has to follow */
  planAnew(knowledge: PullKnowledge | undefined, mustReplace: boolean): void {
    this.#isOutdated ||= mustReplace;
    if (knowledge && (this.#isOutdated || !isSamePlan(knowledge.plan, this.#host.knowledge.plan))) this.#finish({ reason: 'replaced' });
  }

  /** The whole life of a feed. */
  async #live(): Promise<FeedEnd> {
    const stopListening = whenAborted(this.#options.signal, () => this.#finish({ reason: 'viewer-left' }));
    try {
      return await this.#keepCalling();
    } finally {
      stopListening();
      await Promise.all([this.#delivery.close(), this.#lowLayer?.close()]);
    }
  }

  /** One call after the other until the end is decided. */
  async #keepCalling(): Promise<FeedEnd> {
    const { clock } = this.#options;
    const backoff = new Backoff(this.#options.backoff ?? BACKOFF);
    for (;;) {
      await this.#untilLogin();
      const { end } = this;
      if (end) return end;
      const startedMs = clock.now();
      const isLook = this.#mustLook || this.#fruitless % LOOK_EVERY === 1;
      this.#fruitless++;
      this.#wake = new AbortController();
      const error = await (isLook ? this.#lookAgain() : this.#runOnce());
      if (this.end || (isLook && !error)) continue;
      // What was ended for another address has not failed.
      if (this.#wake.signal.aborted) continue;
      const ranMs = clock.now() - startedMs;
      const isNextPass = !error && this.#host.knowledge.plan.isRecording && this.#fruitless === 0;
      const waitMs = isNextPass ? 0 : backoff.next(ranMs);
      this.restarts++;
      this.#note(error ?? new MediaPeerError('FFMPEG_FAILED', 'the camera closed the connection'), isNextPass, waitMs);
      if (waitMs > 0) await delay(clock, waitMs, AbortSignal.any([this.#stop.signal, this.#wake.signal]));
    }
  }

  /** Waits as long as the camera should not be shown what it has refused. */
  async #untilLogin(): Promise<void> {
    const { logins, input } = this.#host;
    for (let waitMs = logins.waitMs(input()); waitMs > 0 && !this.#end; waitMs = logins.waitMs(input())) {
      this.#wake = new AbortController();
      // It may be let in meanwhile, as somebody else sees who tries.
      await delay(this.#options.clock, Math.min(waitMs, LOGIN_LOOK_MS), AbortSignal.any([this.#stop.signal, this.#wake.signal]));
    }
  }

  #frameCame(): void {
    this.#fruitless = 0;
    this.trouble = undefined;
    this.#lastFrameMs = this.#options.clock.now();
    if (this.#whyMute !== undefined && !this.#isMute) {
      this.#isMute = true;
      this.#host.mute(this.#whyMute);
    }
    if (++this.#frames >= MANY_FRAMES) this.#silentEnds = 0;
  }

  /** Each reason is told once, not with each call. */
  #note(error: MediaPeerError, isNextPass: boolean, waitMs: number): void {
    const fields = { sourceId: this.#host.name, reason: error.message, waitMs, restarts: this.restarts };
    if (isNextPass) return this.#options.logger.debug(fields, 'recording is played again');
    const isTold = this.trouble === error.message;
    this.lastError = this.trouble = error.message;
    this.#options.logger[isTold ? 'debug' : 'warn'](fields, 'camera was lost, reconnecting');
  }

  /** Why it cannot be seen what the camera sends, or undefined. */
  async #lookAgain(): Promise<MediaPeerError | undefined> {
    try {
      const known = await this.#host.look(this.#stop.signal);
      this.#mustLook = false;
      if (this.#isOutdated || !isSamePlan(known.plan, this.#host.knowledge.plan)) this.#finish({ reason: 'replaced' });
      return undefined;
    } catch (error) {
      return new MediaPeerError('FFMPEG_FAILED', messageOf(error));
    }
  }

  /** One connection to its end; why it failed, or undefined when the camera closed it. */
  async #runOnce(): Promise<MediaPeerError | undefined> {
    const error = await this.#call(this.#isMute);
    const isOver = this.end !== undefined || this.#wake.signal.aborted;
    const mayBeSound = error && this.#frames === 0 && !isOver && this.info.hasAudio && !this.#isMute && !saysAway(whatWasSaid(error));
    if (!mayBeSound) return error;
    // Nobody needs the sound as they need the picture.
    this.#whyMute = `it cannot be received beside the video: ${inWords(whatWasSaid(error))}`;
    const silentError = await this.#call(true);
    this.#whyMute = undefined;
    return silentError;
  }

  async #call(isMute: boolean): Promise<MediaPeerError | undefined> {
    const { name, input, knowledge } = this.#host;
    const { clock } = this.#options;
    this.#delivery.beginRun();
    this.#frames = 0;
    try {
      const deadAfterMs = (): number => this.#deadAfterMs();
      const spec = {
        owner: `pull ${name}`,
        input: input(),
        plan: knowledge.plan,
        pool: this.#delivery.pool,
        isPatient: this.#fruitless > 1,
        isMute,
        deadAfterMs,
      };
      this.#run = await openPullRun(spec, this.#options, this.#delivery);
      if (this.#end || this.#wake.signal.aborted) void this.#run.close();
      const { error } = await this.#run.closed;
      const wasSilent = this.#frames > 0 && clock.now() - this.#lastFrameMs > SILENT_END_MS;
      this.#silentEnds = wasSilent ? this.#silentEnds + 1 : 0;
      if (this.#frames > 0) this.#host.logins.accepted(spec.input);
      return error && this.#inPeoplesWords(error, spec.input);
    } catch (error) {
      return new MediaPeerError('FFMPEG_FAILED', `the camera could not be connected: ${messageOf(error)}`, { cause: error });
    } finally {
      this.#run = undefined;
    }
  }

  /** For those who look why there is no picture; what ffmpeg said to its whole length stays with it for the log. */
  #inPeoplesWords(error: MediaPeerError, input: LiveInput): MediaPeerError {
    const { message, details } = error;
    const said = /gave no output/.test(message) ? 'it is connected, but sends no frames' : inWords(whatWasSaid(error));
    const reason = this.#frames > 0 ? said : this.#host.logins.failed(input, said);
    return new MediaPeerError('FFMPEG_FAILED', `the camera cannot be used: ${reason}`, { cause: error, details });
  }

  #deadAfterMs(): number {
    const usualMs = this.#host.rate.deadAfterMs(this.#options.clock.now());
    return Math.max(usualMs, Math.min(MAX_DEAD_MS, usualMs * 2 ** this.#silentEnds));
  }

  #finish(end: FeedEnd): void {
    if (this.#end) return;
    this.#end = end;
    this.#stop.abort();
    // Its end is awaited by the loop; it never rejects.
    void this.#run?.close();
  }
}

/** The last of what ffmpeg said, or what was found of it. */
function whatWasSaid({ message, details }: MediaPeerError): string {
  const stderr = typeof details['stderr'] === 'string' ? details['stderr'].trim() : '';
  const lines = stderr
    .split('\n')
    .map((line) => line.replace(/^(\[[^\]]*\]\s*)*/, '').trim())
    .filter((line) => line !== '');
  return lines.length > 0 ? lines.slice(-3).join('; ').slice(0, 300) : message;
}
