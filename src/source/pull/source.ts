/**
 * A camera that is connected when somebody wants it. What it sends is found out by the first connection; until one was
 * answered nobody can watch it, and whoever asks is told why.
 */
import { whenAborted } from '../../base/abort.js';
import { delay } from '../../base/clock.js';
import { MediaPeerError, messageOf } from '../../base/errors.js';
import { RETRY_AFTER_S, sourceNotLive } from '../../base/refusals.js';
import { probeLive, type FfmpegDeps, whyColourNotShown } from '../../ffmpeg/index.js';
import { ArrivalRate } from '../../media/index.js';
import { PullFeed } from './feed.js';
import { LowStream } from './low-stream.js';
import type { RefusedLogins } from './refused-logins.js';
import { planPull, type PullKnowledge, type Refusals } from './plan.js';
import type { Caption } from '../picture-slate.js';
import type { FeedOptions, FeedSink, Source, SourceFeed } from '../source.js';
import { isSameInput, type PullInput } from './read-entry.js';

/** Whoever asks sooner after a call that failed gets the same answer: viewers cannot make the server hammer a camera. */
const QUIET_MS = 2_000;
/** Whoever asks is not held up for longer, though the call may go on. */
const ANSWER_MS = 5_000;
/** Its sound is tried again after so long: a camera may be repaired. */
const MUTE_MS = 10 * 60_000;
/** Of what a camera says of its rate. */
const MAX_RATE_ERROR = 0.2;
const NEVER_CONNECTED = 'it has not been connected yet';
const STILL_WAITING = 'the camera is being connected, and no frame has arrived yet';

/** One camera. */
export interface PullSourceInit extends FfmpegDeps {
  /** The camera as it is described. */
  readonly entry: PullInput;
  /** Writes the text of the slate. */
  readonly caption: Caption;
  /** What cameras have refused. */
  readonly logins: RefusedLogins;
}

/** A connection attempt that is under way. */
interface Call {
  readonly result: Promise<PullKnowledge>;
  readonly stop: AbortController;
  waiting: number;
}

/** A camera that connects on demand. */
export class PullSource {
  #entry: PullInput;
  readonly #init: PullSourceInit;
  readonly #stop = new AbortController();
  #knowledge: PullKnowledge | undefined;
  /** What is known is of the address before, which holds for those alone who watch already. */
  #isUnsure = false;
  /** A feed ended for one that follows. */
  #isReplaced = false;
  #refusals: Refusals = {};
  #mutedAtMs = -Infinity;
  readonly #rate = new ArrivalRate();
  #failure: string | undefined;
  #failedAtMs = -Infinity;
  #call: Call | undefined;
  readonly #feeds = new Set<PullFeed>();
  #low: LowStream | undefined;
  /** Second streams of before, and calls that end. */
  readonly #ending = new Set<Promise<unknown>>();

  constructor(init: PullSourceInit) {
    this.#init = init;
    this.#entry = init.entry;
    this.#low = this.#openLow();
  }

  /** The camera as it is described now. */
  get entry(): PullInput {
    return this.#entry;
  }

  /**
   * It is described otherwise now. Viewers keep their connections: where it is read from another address they see the slate until
   * that answers, and where it is only read otherwise the feed is replaced.
   */
  change(entry: PullInput): void {
    const before = this.#entry;
    this.#entry = entry;
    const isOtherLow = !isSameInput(before.low, entry.low);
    if (isOtherLow) {
      this.#end(this.#low?.close());
      this.#low = this.#openLow();
    }
    if (!isSameInput(before.input, entry.input)) this.#callAnew(isOtherLow);
    else if (isOtherLow || before.wantsAudio !== entry.wantsAudio || before.mustTranscode !== entry.mustTranscode)
      this.#planAnew(isOtherLow);
  }

  /** As it is now. */
  get source(): Source {
    const { name, title, group } = this.entry;
    const known = this.#known;
    const waiting = [...this.#feeds].find(({ live }) => live.isWaiting);
    const nothing = {
      durationS: null,
      widthPx: null,
      heightPx: null,
      fps: null,
      videoCodec: null,
      audioCodec: null,
      hasAudio: false,
      playable: true,
    } as const;
    const { reason: whyNotCopied, ...content } = known?.description ?? {
      ...nothing,
      delivery: this.entry.mustTranscode ? 'transcode' : 'passthrough',
      reason: undefined,
    };
    const reason = known ? (waiting?.trouble ?? whyNotCopied) : (this.#failure ?? NEVER_CONNECTED);
    return {
      id: name,
      name,
      sizeBytes: null,
      ...content,
      ...(known && { plan: known.plan }),
      ...(this.#low?.known && { layers: [this.#low.known] }),
      fps: this.#fps(content.fps),
      ...(reason !== undefined && { reason }),
      ...(title !== undefined && { title }),
      ...(group !== undefined && { group }),
      kind: 'pull',
      state: known ? (waiting ? 'waiting' : 'live') : 'empty',
      open: (sink, options) => this.open(sink, options),
    };
  }

  /**
   * Waits until it is known what the camera sends, or that it does not answer: 5 s at most. A camera that answers and has
   * sent no picture by then is listened to beyond. Never rejects.
   */
  async prepare(): Promise<void> {
    const { clock } = this.#init;
    if (this.#known || (!this.#call && clock.now() - this.#failedAtMs < QUIET_MS)) return;
    const over = new AbortController();
    const isKnown = this.look()
      .then(
        () => true,
        () => true,
      )
      .finally(() => over.abort());
    const isLate = delay(clock, ANSWER_MS, over.signal).then(() => over.signal.aborted);
    if (!(await Promise.race([isKnown, isLate]))) this.#failure ??= STILL_WAITING;
  }

  /** Starts to watch it. @throws MediaPeerError SOURCE_NOT_LIVE when it has not answered yet; it is being connected then */
  open(sink: FeedSink, options: FeedOptions): SourceFeed {
    if (this.#refusals.sound !== undefined && this.#init.clock.now() - this.#mutedAtMs > MUTE_MS) this.#learn({ sound: undefined });
    const knowledge = this.#known;
    if (!knowledge) {
      void this.prepare();
      const { name } = this.entry;
      throw sourceNotLive(name, this.source.reason ?? NEVER_CONNECTED, RETRY_AFTER_S.camera);
    }
    const feed = new PullFeed(
      {
        name: this.entry.name,
        input: () => this.entry.input,
        knowledge,
        mustLook: this.#isUnsure,
        caption: this.#init.caption,
        rate: this.#rate,
        look: (signal) => this.look(signal),
        refuse: (reason) => this.#refuse(reason),
        mute: (reason) => this.#mute(reason),
        low: this.#low,
        logins: this.#init.logins,
      },
      sink,
      options,
    );
    this.#isReplaced = false;
    this.#feeds.add(feed);
    void feed.closed.then(({ reason }) => {
      this.#isReplaced ||= reason === 'replaced';
      this.#feeds.delete(feed);
    });
    return feed;
  }

  /**
   * Calls it to see what it sends; everybody waits for the same call, which is given up when nobody waits any more.
   * @throws MediaPeerError FFMPEG_FAILED
   */
  look(signal?: AbortSignal): Promise<PullKnowledge> {
    const call = (this.#call ??= this.#startCall());
    call.waiting++;
    const stopListening = whenAborted(signal, () => {
      if (--call.waiting > 0) return;
      call.stop.abort();
      // Whoever asks next is not given up on with it.
      if (this.#call === call) this.#call = undefined;
    });
    return call.result.finally(stopListening);
  }

  /** There is no such camera any more: it ends for everybody who watches it. Resolves when nothing of it is left. */
  async remove(): Promise<void> {
    await Promise.all([this.close(), ...[...this.#feeds].map((feed) => feed.close('source-ended'))]);
  }

  /** Gives up a connection attempt. Running feeds are not touched. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all([this.#call?.result.catch(() => undefined), this.#low?.close(), ...this.#ending]);
  }

  get #known(): PullKnowledge | undefined {
    const isHeld = this.#feeds.size > 0 || this.#isReplaced;
    return this.#isUnsure && !isHeld ? undefined : this.#knowledge;
  }

  #openLow(): LowStream | undefined {
    const { entry } = this;
    return entry.low && new LowStream({ ...this.#init, entry, input: entry.low });
  }

  /** It is at another address: nothing is known of what it sends there. */
  #callAnew(isOtherLow: boolean): void {
    this.#end(this.#call?.result.catch(() => undefined));
    this.#call?.stop.abort();
    this.#call = undefined;
    this.#isUnsure = true;
    this.#refusals = {};
    this.#failure = undefined;
    this.#failedAtMs = -Infinity;
    for (const feed of this.#feeds) feed.callAnew(isOtherLow);
  }

  /** It sends what it sent, of which something else is made. */
  #planAnew(isOtherLow: boolean): void {
    this.#learn({});
    const knowledge = this.#isUnsure ? undefined : this.#knowledge;
    for (const feed of this.#feeds) feed.planAnew(knowledge, isOtherLow);
  }

  #end(ending: Promise<unknown> | undefined): void {
    const ended = ending?.finally(() => this.#ending.delete(ended as Promise<unknown>));
    if (ended) this.#ending.add(ended);
  }

  #startCall(): Call {
    const stop = new AbortController();
    const result = this.#look(AbortSignal.any([stop.signal, this.#stop.signal])).finally(() => {
      if (this.#call === call) this.#call = undefined;
    });
    const call: Call = { result, stop, waiting: 0 };
    return call;
  }

  async #look(signal: AbortSignal): Promise<PullKnowledge> {
    const { clock, logger, logins } = this.#init;
    const { name: sourceId, input } = this.entry;
    let isCalled = false;
    try {
      logins.throwIfRefused(input);
      isCalled = true;
      this.#low?.prepare();
      const found = await probeLive(input, this.#init, signal);
      signal.throwIfAborted();
      logins.accepted(input);
      const unshown = found.video && whyColourNotShown(found.video, this.#init.tools);
      if (unshown !== undefined) throw new MediaPeerError('FFMPEG_FAILED', unshown);
      const knowledge = planPull(this.entry, found, this.#init.tools, this.#refusals);
      if (!knowledge) throw new MediaPeerError('FFMPEG_FAILED', 'it sends nothing that can be played');
      this.#knowledge = knowledge;
      this.#isUnsure = false;
      this.#failure = undefined;
      const { videoCodec, audioCodec, widthPx, heightPx, delivery, reason } = knowledge.description;
      logger.info({ sourceId, videoCodec, audioCodec, widthPx, heightPx, delivery, reason }, 'camera answers');
      return knowledge;
    } catch (error) {
      if (signal.aborted) throw error;
      // Why it is not even called is known, where that was found out by a call of its own.
      if (!isCalled && this.#failure !== undefined) throw error;
      const reason = isCalled ? logins.failed(input, messageOf(error)) : messageOf(error);
      const failure = `the camera cannot be reached: ${reason}`;
      if (failure !== this.#failure) logger.warn({ sourceId, reason: failure }, 'camera does not answer');
      this.#failure = failure;
      this.#failedAtMs = clock.now();
      throw new MediaPeerError('FFMPEG_FAILED', reason, { cause: error });
    }
  }

  /** Cameras say what they were set to, and send what the night leaves them. */
  #fps(stated: number | null): number | null {
    const measured = this.#rate.fps;
    const isAsStated = stated !== null && (measured === undefined || Math.abs(measured / stated - 1) <= MAX_RATE_ERROR);
    return isAsStated || measured === undefined ? stated : Math.round(measured * 100) / 100;
  }

  #refuse(reason: string): void {
    this.#learn({ copy: reason });
    this.#init.logger.info({ sourceId: this.entry.name, reason }, 'camera cannot be copied; it is transcoded');
  }

  #mute(reason: string): void {
    this.#learn({ sound: reason });
    this.#mutedAtMs = this.#init.clock.now();
    this.#init.logger.warn({ sourceId: this.entry.name, reason }, 'sound of a camera is ignored');
  }

  #learn(refusals: Refusals): void {
    this.#refusals = { ...this.#refusals, ...refusals };
    if (!this.#knowledge) return;
    this.#knowledge = planPull(this.entry, this.#knowledge.found, this.#init.tools, this.#refusals) ?? this.#knowledge;
  }
}
