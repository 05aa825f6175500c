/**
 * One source on its way to one WHIP endpoint. `#run` is the whole story: connect, send, find out why that ended, wait, again,
 * until it is closed. What is sent and how fast is the session's business, as for any viewer.
 */
import { Backoff } from '../base/backoff.js';
import { delay, type Clock } from '../base/clock.js';
import { messageOf, MediaPeerError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { Rendition } from '../media/index.js';
import type { ConnectionManager, ConnectionState, IceServer } from '../webrtc/index.js';
import { BitrateGauge } from './bitrate-gauge.js';
import type { ForwardOrigin, ForwardSending, ForwardState, ForwardStatus } from './status.js';
import type { Target } from './target.js';
import { Trouble } from './trouble.js';
import { WhipEndpoint } from './whip-endpoint.js';
import { whyEnded } from './why-ended.js';

/** The connections that forwards use. */
export type ForwardSessions = Pick<ConnectionManager, 'offer' | 'answer' | 'close' | 'report' | 'statusOf'>;

/** What goes where. */
export interface ForwardInit {
  /** Unique. */
  readonly id: string;
  /** What is sent. */
  readonly sourceId: string;
  /** In which rendition. */
  readonly rendition: Rendition;
  /** Where it is configured. */
  readonly origin: ForwardOrigin;
  /** Where to. */
  readonly target: Target;
  /** By which it is connected. */
  readonly sessions: ForwardSessions;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Between attempts: 1, 2, 4, 8, then 10 s, and up to half less, so that many do not come at once. */
const BACKOFF = { firstMs: 1_000, maxMs: 10_000, stableMs: 10_000 };
/** Where a person has to mend something first: wrong tokens are counted on the other side. */
const NEEDS_PERSON_MS = 30_000;

/** One forward. */
export class Forward {
  readonly #init: ForwardInit;
  readonly #endpoint: WhipEndpoint;
  readonly #logger: Logger;
  readonly #backoff = new Backoff(BACKOFF);
  readonly #closing = new AbortController();
  readonly #done: Promise<void>;
  #state: ForwardState = 'connecting';
  #sinceMs: number;
  #attempts = 0;
  #lastError: string | undefined;
  #retryAtMs: number | undefined;
  /** Ends the wait for the next attempt. */
  #wake: (() => void) | undefined;
  #isSourceAway = false;
  /** Of the attempt that runs, on the monotonic clock; undefined: it was not live yet. */
  #liveSinceMs: number | undefined;
  /** Of the other side, for the attempt that runs. */
  #iceServers: readonly IceServer[] = [];
  /** Of the answer before: too late for its own connection. */
  #iceServersOfAnswer: readonly IceServer[] = [];
  #sessionUrlBefore: URL | undefined;
  #session: { readonly sessionId: string; readonly gauge: BitrateGauge } | undefined;
  /** Of sessions that have ended. */
  #bytesBefore = 0;

  /** Begins at once. */
  constructor(init: ForwardInit) {
    this.#init = init;
    const { id, sourceId, target, clock, logger } = init;
    this.#logger = logger.child({ forward: id, sourceId, host: target.url.host });
    this.#endpoint = new WhipEndpoint({ target, clock, logger: this.#logger });
    this.#sinceMs = clock.wallClock();
    this.#done = this.#run();
  }

  get id(): string {
    return this.#init.id;
  }

  get sourceId(): string {
    return this.#init.sourceId;
  }

  /** By which its session asks for ICE servers. */
  get clientId(): string {
    return `forward-${this.id}`;
  }

  /** STUN and TURN servers that the other side has named. */
  get iceServers(): readonly IceServer[] {
    return this.#iceServers;
  }

  get status(): ForwardStatus {
    const { id, sourceId, rendition, origin, target, clock } = this.#init;
    const sending = this.#sending();
    return {
      id,
      sourceId,
      rendition,
      url: target.shown,
      origin,
      state: this.#state,
      sinceMs: this.#sinceMs,
      attempts: this.#attempts,
      failures: this.#state === 'live' ? 0 : this.#backoff.failures,
      lastError: this.#lastError,
      retryInMs: this.#retryAtMs === undefined ? undefined : Math.max(0, this.#retryAtMs - clock.now()),
      bytesSent: this.#bytesBefore + this.#bytesOfSession,
      sending: this.#state === 'live' ? sending : undefined,
    };
  }

  /** Once a second. */
  tick(): void {
    this.#session?.gauge.add(this.#bytesOfSession, this.#init.clock.now());
  }

  /** Its source has come, or come back: what waits for it need not wait longer. */
  sourceCame(): void {
    if (this.#isSourceAway) this.#wake?.();
  }

  /** Ends the connection, here and there. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort(new Trouble('it was removed'));
    await this.#done;
  }

  async #run(): Promise<void> {
    const { clock } = this.#init;
    while (!this.#isClosing()) {
      const trouble = await this.#runOnce();
      if (this.#isClosing()) return;
      const waitMs = Math.max(
        this.#backoff.next(this.#liveSinceMs === undefined ? 0 : clock.now() - this.#liveSinceMs),
        trouble.retryAfterMs,
        trouble.needsPerson ? NEEDS_PERSON_MS : 0,
      );
      this.#failed(trouble, waitMs);
      await this.#wait(waitMs);
    }
  }

  /** May change with each wait. */
  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  /** One connection, from the offer to its end. Never rejects. */
  async #runOnce(): Promise<Trouble> {
    const { sessions } = this.#init;
    const attempt = new AbortController();
    const abort = (): void => attempt.abort(this.#closing.signal.reason);
    this.#closing.signal.addEventListener('abort', abort, { once: true });
    let sessionId: string | undefined;
    let sessionUrl: URL | undefined;
    try {
      this.#begin();
      const named = await this.#endpoint.iceServers(attempt.signal);
      this.#iceServers = named.length > 0 ? named : this.#iceServersOfAnswer;
      const opened = await this.#offer();
      ({ sessionId } = opened);
      const ended = opened.ended.then((reason) => whyEnded(reason, this.sourceId, sessions.report(opened.sessionId)));
      void ended.then((trouble) => attempt.abort(trouble));
      const published = await this.#endpoint.publish(opened.sdp, this.#sessionUrlBefore, attempt.signal);
      ({ sessionUrl } = published);
      this.#sessionUrlBefore = sessionUrl;
      this.#iceServersOfAnswer = published.iceServers;
      await this.#take(opened.sessionId, published.sdp);
      return await Promise.race([ended, rejected(attempt.signal)]);
    } catch (error) {
      return this.#troubleOf(error);
    } finally {
      this.#closing.signal.removeEventListener('abort', abort);
      await this.#leave(sessionId, sessionUrl);
    }
  }

  #begin(): void {
    this.#attempts++;
    this.#isSourceAway = false;
    this.#liveSinceMs = undefined;
    this.#enter('connecting');
  }

  async #offer(): ReturnType<ForwardSessions['offer']> {
    const { sessions, sourceId, rendition, clock } = this.#init;
    try {
      const opened = await sessions.offer({
        door: 'forward',
        clientId: this.clientId,
        sourceId,
        renditions: [rendition],
        isMediaAlone: true,
        onState: (state) => this.#stateChanged(state),
      });
      this.#session = { sessionId: opened.sessionId, gauge: new BitrateGauge(clock.now()) };
      return opened;
    } catch (error) {
      this.#isSourceAway = isSourceAway(error);
      throw error;
    }
  }

  /** Without its video there is nothing to forward. */
  async #take(sessionId: string, sdp: string): Promise<void> {
    const { sessions } = this.#init;
    try {
      await sessions.answer(sessionId, sdp);
    } catch (error) {
      throw new Trouble(`the answer of the WHIP server cannot be used: ${messageOf(error)}`, { needsPerson: true, cause: error });
    }
    const video = sessions.report(sessionId)?.mLines.find(({ kind }) => kind === 'video');
    if (video?.chosen === undefined)
      throw new Trouble(`the WHIP server takes no video: ${video?.reason ?? 'its answer has none'}`, { needsPerson: true });
  }

  #stateChanged(state: ConnectionState): void {
    if (this.#closing.signal.aborted) return;
    if (state === 'connected' && this.#state !== 'live') {
      this.#logger.info({ attempts: this.#attempts }, 'a source is forwarded');
      this.#liveSinceMs ??= this.#init.clock.now();
      this.#enter('live');
    }
    if (state === 'disconnected' && this.#state === 'live') this.#enter('connecting');
  }

  /**
   * On purpose, the other side is told first, so that it waits for nobody. What was lost is closed first: the other side may keep
   * the place until it comes back, and is told before the next offer, for which it may take the place for taken.
   */
  async #leave(sessionId: string | undefined, sessionUrl: URL | undefined): Promise<void> {
    const isOnPurpose = this.#closing.signal.aborted;
    if (sessionUrl && isOnPurpose) await this.#endpoint.end(sessionUrl);
    if (sessionId !== undefined) {
      this.#bytesBefore += this.#bytesOfSession;
      this.#session = undefined;
      await this.#init.sessions.close(sessionId, 'viewer-left');
    }
    if (sessionUrl && !isOnPurpose) await this.#endpoint.end(sessionUrl);
  }

  #troubleOf(error: unknown): Trouble {
    if (error instanceof Trouble) return error;
    if (error instanceof MediaPeerError) return new Trouble(error.message, { needsPerson: error.code === 'DETECTION_OFF', cause: error });
    if (!this.#closing.signal.aborted) this.#logger.error({ err: error }, 'a forward failed');
    return new Trouble(messageOf(error), { cause: error });
  }

  #failed(trouble: Trouble, waitMs: number): void {
    const error = this.#endpoint.redacted(trouble.message);
    // The same again and again is said once.
    const level = error === this.#lastError ? 'debug' : 'warn';
    this.#logger[level](
      { reason: error, retryInMs: Math.round(waitMs), attempts: this.#attempts },
      'a source is not forwarded, it is tried again',
    );
    this.#lastError = error;
    this.#enter(trouble.needsPerson ? 'failed' : 'waiting');
  }

  async #wait(waitMs: number): Promise<void> {
    const { clock } = this.#init;
    const waking = new AbortController();
    this.#wake = () => waking.abort();
    this.#retryAtMs = clock.now() + waitMs;
    await delay(clock, waitMs, AbortSignal.any([waking.signal, this.#closing.signal]));
    this.#retryAtMs = undefined;
    this.#wake = undefined;
  }

  #enter(state: ForwardState): void {
    this.#state = state;
    this.#sinceMs = this.#init.clock.wallClock();
  }

  get #bytesOfSession(): number {
    // Of a session that has just ended only the gauge knows.
    return this.#session ? (this.#init.sessions.statusOf(this.#session.sessionId)?.bytesSent ?? this.#session.gauge.bytes) : 0;
  }

  #sending(): ForwardSending | undefined {
    const session = this.#session;
    const status = session && this.#init.sessions.statusOf(session.sessionId);
    if (!session || !status) return undefined;
    const { quality, roundTripMs, video, audio, packetsLost } = status;
    return {
      bitrateBps: session.gauge.bitrateBps,
      quality: quality?.quality,
      estimateBps: quality?.estimateBps,
      queueMs: quality?.queueMs,
      roundTripMs,
      videoCodec: video[0]?.codec,
      hasAudio: audio.length > 0,
      packetsLost,
    };
  }
}

/** Its source is not there, or delivers nothing: how the other side is has nothing to do with it. */
function isSourceAway(error: unknown): boolean {
  return error instanceof MediaPeerError && (error.code === 'SOURCE_NOT_FOUND' || error.code === 'SOURCE_NOT_LIVE');
}

function rejected(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
