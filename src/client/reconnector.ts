/**
 * Keeps a connection: opens it, has its path healed while that can be, opens another one when it is lost, and waits
 * longer and longer in between. Every change is told with its reason. One loop, `#run`, read top to bottom; what wakes
 * it early is an event. Knows neither signalling nor media.
 */
import { passes, within, type Timer } from './clock.js';
import type { Environment, PageEvent } from './environment.js';
import { SightlineError, errorOf, type Reason } from './errors.js';
import { IceHealer } from './ice-healer.js';
import type { PeerLink } from './peer-link.js';
import { request } from './server-session.js';

/** Waits before the 1st, 2nd, ... attempt to connect again; the last one for all that follow. */
export const BACKOFF_S: readonly number[] = [1, 2, 4, 8, 10];
/** While the server is out of reach it is asked this often whether it is back. */
const PROBE_MS = 1_500;
const PROBE_TIMEOUT_MS = 3_000;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
/** From the offer to the connection; the parts have limits of their own. */
const OPEN_TIMEOUT_MS = 30_000;

/**
 * `connecting`: for the first time; `connected`: the path stands; `playing`: media flows; `recovering`: the path is being
 * healed or another connection opened; `waiting`: until the next attempt; `failed`: for good; `closed`: by the caller.
 */
export type State = 'connecting' | 'connected' | 'playing' | 'recovering' | 'waiting' | 'failed' | 'closed';

/** What a UI can show. */
export interface StateChange {
  /** What holds from now on. */
  readonly state: State;
  /** Why it is not, or not yet, playing. */
  readonly reason?: Reason;
  /** Attempts to connect again since media flowed last; 0 on the first connection. */
  readonly attempt: number;
  /** With `waiting`: seconds until the next attempt; undefined where an event is waited for. */
  readonly retryInS?: number;
}

/** How to connect, and whom it tells. */
export interface ReconnectorInit {
  /** What it takes from the browser. */
  readonly env: Environment;
  /** Connects; closes what it opened when it fails. @throws SightlineError */
  readonly open: (signal: AbortSignal) => Promise<PeerLink>;
  /** A connection stands; the one before is closed right after. */
  readonly onLink: (link: PeerLink) => void;
  /** Called with each change. */
  readonly onState: (change: StateChange) => void;
  /** Address that answers 2xx when the server is ready. */
  readonly probeUrl: string;
  /** A page that nobody sees does not try forever. */
  readonly waitsWhileHidden: boolean;
  /** Whether media has stopped coming, as far as is known. */
  readonly isStale: () => boolean;
  /** What a page sends may go on after it was loaded again: its session is left to the server's patience, not ended. */
  readonly mayReturn: boolean;
  /** Whether that refusal may pass by itself after all. Default: never. */
  readonly mayPass?: (error: SightlineError) => Promise<boolean>;
}

/** Brings one connection back as often as it is lost. */
export class Reconnector {
  readonly #init: ReconnectorInit;
  readonly #stopListening: () => void;
  #link: PeerLink | undefined;
  #healer: IceHealer | undefined;
  #opening: AbortController | undefined;
  /** Ends the loop's present wait. */
  #wake: () => void = () => undefined;
  #lost: SightlineError | undefined;
  #attempt = 0;
  #isImmediate = false;
  #reason: Reason | undefined;
  #state: State = 'connecting';

  constructor(init: ReconnectorInit) {
    this.#init = init;
    this.#stopListening = init.env.listen((event) => this.#pageEvent(event));
  }

  /** What holds now. */
  get state(): State {
    return this.#state;
  }

  /** The connection that stands, or stood last. */
  get link(): PeerLink | undefined {
    return this.#link;
  }

  /** Begins; call once. */
  start(): void {
    void this.#run();
  }

  /** Media flows: what was tried before no longer counts. */
  succeeded(): void {
    if (this.#lost || !this.#link?.isConnected || (this.#state !== 'connected' && this.#state !== 'recovering')) return;
    this.#attempt = 0;
    this.#reason = undefined;
    this.#tell('playing');
  }

  /** Restarts ICE. */
  restart(why: SightlineError): void {
    this.#healer?.restart(why);
  }

  /** Opens another connection at once. */
  reconnect(why: SightlineError): void {
    this.#isImmediate = true;
    this.#lose(why);
    this.#opening?.abort();
    this.#wake();
  }

  /** Idempotent. */
  close(): void {
    this.#end('closed');
  }

  async #run(): Promise<void> {
    while (!this.#isOver()) {
      const error = (await this.#open()) ?? (await this.#untilLost());
      if (this.#isOver()) return;
      if (error.isPermanent && !(await this.#init.mayPass?.(error))) return this.#end('failed', error);
      this.#reason = error;
      this.#attempt++;
      await this.#pause(error);
    }
  }

  #isOver(): boolean {
    return this.#state === 'closed' || this.#state === 'failed';
  }

  /** Undefined when a connection stands: another one, or the one before that came back by itself. */
  async #open(): Promise<SightlineError | undefined> {
    if (this.#stands()) return undefined;
    const opening = new AbortController();
    this.#opening = opening;
    this.#tell(this.#link || this.#attempt > 0 ? 'recovering' : 'connecting');
    try {
      const opened = this.#init.open(opening.signal);
      // One that comes when nobody waits for it any more.
      opened.then(
        (late) => opening.signal.aborted && this.#link !== late && late.close(),
        () => undefined,
      );
      const link = await within(opened, {
        clock: this.#init.env.clock,
        ms: OPEN_TIMEOUT_MS,
        signal: opening.signal,
        trouble: () => new SightlineError('CONNECTION_FAILED'),
      });
      if (this.#isOver()) link.close();
      else this.#adopt(link);
      return undefined;
    } catch (error) {
      if (this.#stands()) return undefined;
      return this.#isImmediate && this.#lost ? this.#lost : errorOf(error);
    } finally {
      opening.abort();
      this.#opening = undefined;
    }
  }

  #stands(): boolean {
    return this.#link !== undefined && this.#lost === undefined;
  }

  #adopt(link: PeerLink): void {
    const previous = this.#link;
    this.#healer?.close();
    this.#link = link;
    this.#lost = undefined;
    const healer = new IceHealer({
      clock: this.#init.env.clock,
      link,
      onRestart: (why) => {
        this.#reason = why;
        this.#tell('recovering');
      },
      onHealed: () => this.#healed(),
      onLost: (why) => this.#lose(why),
    });
    this.#healer = healer;
    this.#tell('connected');
    this.#init.onLink(link);
    link.follow((state) => healer.connectionChanged(state));
    previous?.close();
  }

  async #untilLost(): Promise<SightlineError> {
    while (!this.#lost && !this.#isOver()) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#lost ?? new SightlineError('CONNECTION_LOST');
  }

  /** A connection that was given up came back by itself before there was another one. */
  #healed(): void {
    this.#lost = undefined;
    if (this.#state !== 'playing') this.#tell('connected');
    this.#opening?.abort();
    this.#wake();
  }

  /** What it was stays until another one stands: it may come back. */
  #lose(why: SightlineError): void {
    if (this.#link) this.#lost = why;
    this.#wake();
  }

  /** Until the next attempt is due, or something happens that makes it worth trying at once. */
  async #pause(error: SightlineError): Promise<void> {
    if (this.#isImmediate || this.#isOver()) return void (this.#isImmediate = false);
    const { env } = this.#init;
    const retryInS = error.retryAfterS ?? BACKOFF_S[Math.min(this.#attempt, BACKOFF_S.length) - 1] ?? 1;
    const waits = this.#mustWaitForEvent();
    if (waits && !env.isOnline()) this.#reason = new SightlineError('OFFLINE');
    this.#tell('waiting', waits ? undefined : retryInS);
    const over = new AbortController();
    let timer: Timer | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (!waits) timer = env.clock.after(retryInS * 1000, resolve);
      if (!waits && (error.code === 'UNREACHABLE' || error.code === 'SERVER_SILENT')) void this.#probe(over.signal, resolve);
    });
    timer?.cancel();
    over.abort();
    this.#isImmediate = false;
  }

  /**
   * A server that is back is worth an attempt before its time. None of the requests is left hanging: a browser has six
   * connections to a server, and a dead network holds each of them for minutes.
   */
  async #probe(over: AbortSignal, resolve: () => void): Promise<void> {
    const { env, probeUrl } = this.#init;
    while (await passes(PROBE_MS, env.clock, over)) {
      const probe = request(env, probeUrl, { cache: 'no-store', signal: over, timeoutMs: PROBE_TIMEOUT_MS });
      if (
        await probe.then(
          () => true,
          () => false,
        )
      )
        return resolve();
    }
  }

  #mustWaitForEvent(): boolean {
    const { env, probeUrl, waitsWhileHidden } = this.#init;
    // A browser without a network still reaches its own machine.
    if (!env.isOnline() && !LOOPBACK.test(new URL(probeUrl).hostname)) return true;
    return waitsWhileHidden && !env.isVisible() && this.#attempt > BACKOFF_S.length;
  }

  #pageEvent(event: PageEvent): void {
    if ((event === 'leaving' || event === 'frozen') && this.#init.mayReturn) this.#link?.forget();
    if (event === 'leaving') return this.close();
    if (event === 'frozen') return this.#freeze();
    if (event === 'online' || event === 'network') this.restart(new SightlineError('NETWORK_CHANGED'));
    if (event === 'visible' && this.#link && (!this.#link.isConnected || this.#init.isStale()))
      this.restart(new SightlineError('CONNECTION_WEAK'));
    if (event !== 'offline' && event !== 'hidden' && this.#state === 'waiting') this.#wake();
  }

  /** A page that may be shown again later gives its place on the server back, and connects again then. */
  #freeze(): void {
    this.#lose(new SightlineError('CONNECTION_LOST'));
    this.#opening?.abort();
    this.#link?.close();
  }

  #end(state: 'failed' | 'closed', reason?: Reason): void {
    if (this.#isOver()) return;
    this.#reason = reason;
    this.#tell(state);
    this.#stopListening();
    this.#healer?.close();
    this.#opening?.abort();
    this.#link?.close();
    this.#wake();
  }

  #tell(state: State, retryInS?: number): void {
    if (this.#isOver()) return;
    this.#state = state;
    this.#init.onState({
      state,
      attempt: this.#attempt,
      ...(this.#reason && { reason: { code: this.#reason.code, message: this.#reason.message } }),
      ...(retryInS !== undefined && { retryInS }),
    });
  }
}
