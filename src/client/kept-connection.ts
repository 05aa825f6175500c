/** A connection to one server that is kept up: what watching and publishing have in common. Knows no media. */
import type { Environment } from './environment.js';
import { SightlineError } from './errors.js';
import { FrameWatch, senderWords, type Remedy } from './frame-watch.js';
import { IceServers } from './ice-servers.js';
import { Reconnector, type ReconnectorInit, type State, type StateChange } from './reconnector.js';
import type { PeerLink } from './peer-link.js';
import { bytesReceived, PathWatch } from './path-watch.js';
import { authorization, serverAddress } from './server-address.js';
import { StatsPoll } from './stats-poll.js';

/** What watching and publishing have in common. */
export interface ConnectionOptions {
  /** Address of the server. Default: where this module came from, else the page's origin. */
  readonly server?: string | URL;
  /** Bearer token. Default: the login of this browser, where the server is the page's own. */
  readonly token?: string;
  /** Default: the server is asked for them when a connection needs help. */
  readonly iceServers?: readonly RTCIceServer[];
  /** Closes it. */
  readonly signal?: AbortSignal;
  /** As `on('state', ...)`, from the very first change on. */
  readonly onState?: (change: StateChange) => void;
  /** As `on('stats', ...)`. */
  readonly onStats?: (report: RTCStatsReport) => void;
  /** As `on('error', ...)`. */
  readonly onError?: (error: SightlineError) => void;
}

/** What watching and publishing both tell. */
export interface ConnectionEvents {
  /** Every change, with its reason. */
  readonly state: StateChange;
  /** Once a second. */
  readonly stats: RTCStatsReport;
  /** Trouble that leaves the connection as it is. */
  readonly error: SightlineError;
}

/** What is kept, and whom it tells. */
export interface KeptConnectionInit extends Pick<
  ReconnectorInit,
  'open' | 'onLink' | 'onState' | 'waitsWhileHidden' | 'mayReturn' | 'mayPass'
> {
  /** What it takes from the browser. */
  readonly env: Environment;
  /** The caller's. */
  readonly options: Pick<ConnectionOptions, 'server' | 'token' | 'iceServers' | 'signal'>;
  /** The caller's signal was aborted. */
  readonly onAbort: () => void;
  /** Called once a second while it is connected. */
  readonly onStats: (report: RTCStatsReport) => void;
  /** Frames that flowed so far over the present connection; undefined while none are expected. */
  readonly framesOf: (report: RTCStatsReport) => number | undefined;
  /** What is due where they stopped. */
  readonly onSilence: (remedy: Remedy) => void;
  /** Without a frame for this long a connection is not trusted when the page is shown again, ms. Default: it always is. */
  readonly staleAfterMs?: number;
}

/** Keeps one connection at a time until it is closed. */
export class KeptConnection {
  /** Address of the server; ends with a slash. */
  readonly server: string;
  /** What every request to it carries. */
  readonly headers: Readonly<Record<string, string>>;
  /** Its STUN and TURN servers. */
  readonly iceServers: IceServers;
  readonly #init: KeptConnectionInit;
  readonly #frames = new FrameWatch();
  readonly #path = new PathWatch();
  readonly #reconnector: Reconnector;
  readonly #poll: StatsPoll;

  /** Connects as soon as this turn has ended, so that listeners which are added right now hear everything. */
  constructor(init: KeptConnectionInit) {
    const { env, options, staleAfterMs = Infinity } = init;
    this.#init = init;
    this.server = serverAddress(options.server);
    this.headers = authorization(options.token);
    this.iceServers = new IceServers(env, this.server, this.headers, options.iceServers);
    this.#reconnector = new Reconnector({
      ...init,
      onLink: (link) => {
        this.#frames.reset(0);
        this.#path.reset();
        init.onLink(link);
      },
      onState: (change) => this.#tell(change),
      probeUrl: new URL('ready', this.server).href,
      isStale: () => this.#frames.silenceMs(env.clock.now()) > staleAfterMs,
    });
    this.#poll = new StatsPoll({
      clock: env.clock,
      link: () => this.link,
      isPlaying: () => this.state === 'playing',
      onStats: init.onStats,
      onReport: (report, nowMs) => this.#look(report, nowMs),
    });
    const { signal } = options;
    signal?.addEventListener('abort', init.onAbort, { once: true });
    queueMicrotask(() => (signal?.aborted ? init.onAbort() : this.#reconnector.start()));
  }

  /** What holds now. */
  get state(): State {
    return this.#reconnector.state;
  }

  /** The connection that stands, or stood last. */
  get link(): PeerLink | undefined {
    return this.#reconnector.link;
  }

  /** Restarts ICE. */
  restart(why: SightlineError): void {
    this.#reconnector.restart(why);
  }

  /** Opens another connection at once. Default: "try again". */
  reconnect(why = new SightlineError('CONNECTION_LOST')): void {
    this.#reconnector.reconnect(why);
  }

  /** Idempotent. */
  close(): void {
    this.#reconnector.close();
  }

  #tell(change: StateChange): void {
    if (change.state === 'failed' || change.state === 'closed') this.#poll.close();
    if (change.state === 'connected') this.#poll.hurry();
    this.#init.onState(change);
  }

  /**
   * A path that brings nothing any more is restarted, whatever the browser still thinks of it. Before media has flowed,
   * a source that is slow to start, or a camera that gives nothing yet, is no reason.
   */
  #listen(report: RTCStatsReport, nowMs: number): void {
    const { link } = this;
    if (!link) return;
    if (!this.#path.isSilent(bytesReceived(report), nowMs)) link.setSilent(false);
    else if (this.state === 'playing') {
      link.setSilent(true);
      this.#reconnector.restart(new SightlineError('CONNECTION_WEAK'));
    }
  }

  #look(report: RTCStatsReport, nowMs: number): void {
    const frames = this.#init.framesOf(report);
    if (frames === undefined) {
      this.#frames.reset();
      this.#path.reset();
      this.link?.setSilent(false);
      return this.#reconnector.succeeded();
    }
    this.#listen(report, nowMs);
    const due = this.#frames.look(frames, nowMs, senderWords(report));
    if (due === 'arrived') this.#reconnector.succeeded();
    else if (due) this.#init.onSilence(due);
  }
}
