/**
 * One RTCPeerConnection and its session on the server, from the offer to the end. The offer leaves at once, without
 * waiting for candidates; those follow in batches. Restarts ICE without touching what flows. Knows nothing of retrying.
 */
import { within, type Timer } from './clock.js';
import { Emitter, type Unsubscribe } from './emitter.js';
import type { Environment } from './environment.js';
import { SightlineError } from './errors.js';
import type { IceServers } from './ice-servers.js';
import { fragment, withIceOf, type Candidate } from './sdp.js';
import type { ServerSession } from './server-session.js';

/** Browsers find their host candidates within a few ms of each other: one request carries them. */
const BATCH_MS = 40;
/** Where no pair works by then, TURN servers may be needed. */
const HELP_AFTER_MS = 3_000;
/** Enough for ICE and DTLS on a bad network. */
const CONNECT_TIMEOUT_MS = 15_000;

/** What the server answers to an offer. */
export interface Exchange {
  /** The answer. */
  readonly sdp: string;
  /** What the answer has opened on the server. */
  readonly session: ServerSession;
}

/** What a link needs. */
export interface PeerLinkInit {
  /** What it takes from the browser. */
  readonly env: Environment;
  /** STUN and TURN servers to use. */
  readonly iceServers: IceServers;
  /** Posts the offer. @throws SightlineError */
  readonly exchange: (sdp: string, signal: AbortSignal) => Promise<Exchange>;
}

/** One connection from its offer to its end; the caller adds tracks and channels before `open`. */
export class PeerLink {
  /** The connection itself. */
  readonly pc: RTCPeerConnection;
  readonly #init: PeerLinkInit;
  readonly #events = new Emitter<{ connection: RTCPeerConnectionState }>();
  /** As the browser says; `closed` also when the server has said goodbye. */
  #state: RTCPeerConnectionState = 'new';
  #isSilent = false;
  #session: ServerSession | undefined;
  #candidates: Candidate[] = [];
  #isGathered = false;
  #batch: Timer | undefined;
  /** While ICE restarts, candidates of the coming generation wait for the server to know it. */
  #isRestarting = false;
  #connected: (() => void) | undefined;
  #failed: ((error: Error) => void) | undefined;
  #isClosed = false;
  /** The server has ended the session, or will by itself. */
  #isGone = false;

  constructor(init: PeerLinkInit) {
    this.#init = init;
    this.pc = init.env.createPeerConnection(init.iceServers.configuration);
    this.pc.addEventListener('icecandidate', ({ candidate }) => this.#found(candidate));
    this.pc.addEventListener('connectionstatechange', () => this.#changed(this.pc.connectionState));
  }

  /** As far as is known: the path stands, something arrives, and the server has the session. */
  get isConnected(): boolean {
    return this.pc.connectionState === 'connected' && !this.#isSilent && !this.#isGone;
  }

  /** Calls `listener` with the state of the connection and with each change of it; `closed` also when the server says goodbye. */
  follow(listener: (state: RTCPeerConnectionState) => void): Unsubscribe {
    const stop = this.#events.on('connection', listener);
    listener(this.#state);
    return stop;
  }

  /** Nothing arrives, although the browser has not noticed yet; or something arrives again. */
  setSilent(isSilent: boolean): void {
    this.#isSilent = isSilent;
  }

  /** Undefined before the server has answered. */
  get session(): ServerSession | undefined {
    return this.#session;
  }

  /** Offers, applies the answer, and resolves once connected. The caller closes when this fails. @throws SightlineError */
  async open(signal: AbortSignal): Promise<void> {
    const { env, exchange } = this.#init;
    const connected = new Promise<void>((resolve, reject) => ([this.#connected, this.#failed] = [resolve, reject]));
    connected.catch(() => undefined);
    await this.pc.setLocalDescription(await this.pc.createOffer());
    const answer = await exchange(this.pc.localDescription?.sdp ?? '', signal);
    if (signal.aborted || this.#isClosed) {
      void answer.session.delete();
      throw new SightlineError('CONNECTION_FAILED', 'given up');
    }
    this.#session = answer.session;
    await this.pc.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
    this.#flushSoon();
    const help = env.clock.after(HELP_AFTER_MS, () => void this.#seekHelp(signal));
    try {
      await within(connected, { clock: env.clock, ms: CONNECT_TIMEOUT_MS, signal, trouble: () => new SightlineError('CONNECTION_FAILED') });
    } finally {
      help.cancel();
    }
  }

  /**
   * Restarts ICE by PATCH (RFC 9725 §4.3.3). Nothing changes here before the server has agreed, so a refusal or a lost
   * request leaves the connection as it was. @throws SightlineError
   */
  async restartIce(signal: AbortSignal): Promise<void> {
    const answer = this.pc.remoteDescription?.sdp;
    if (!this.#session || answer === undefined) throw new SightlineError('CONNECTION_LOST');
    // Beside the restart, not before it: where they are needed and come late, the next one has them.
    void this.#refresh(signal);
    const offer = await this.pc.createOffer({ iceRestart: true });
    this.#isRestarting = true;
    try {
      const restarted = withIceOf(answer, await this.#restartOnServer(offer, signal));
      if (restarted === undefined) throw new SightlineError('ANSWER_INVALID', undefined, { status: 422 });
      this.#candidates = [];
      this.#isGathered = false;
      await this.pc.setLocalDescription(offer);
      await this.pc.setRemoteDescription({ type: 'answer', sdp: restarted });
      // The server has answered: what arrives from now on counts.
      this.#isSilent = false;
    } finally {
      this.#isRestarting = false;
      this.#flushSoon();
    }
  }

  /** The server ends the session by itself: `close` need not ask for it. */
  forget(): void {
    this.#isGone = true;
  }

  /** Ends it, and the session on the server, first that: a server that hears the connection close has nothing left to delete. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#batch?.cancel();
    this.#failed?.(new SightlineError('CONNECTION_FAILED', 'given up'));
    if (this.#session && !this.#isGone) void this.#session.delete().finally(() => this.pc.close());
    else this.pc.close();
  }

  async #restartOnServer(offer: RTCSessionDescriptionInit, signal: AbortSignal): Promise<string> {
    try {
      return (await this.#session?.restart(fragment(offer.sdp ?? ''), signal)) ?? '';
    } catch (error) {
      if (error instanceof SightlineError && error.status === 404) this.#isGone = true;
      throw error;
    }
  }

  #changed(state: RTCPeerConnectionState): void {
    if (this.#isClosed) return;
    if (state === 'connected') {
      this.#connected?.();
      this.#followDtls();
    }
    if (state === 'failed' || state === 'closed') this.#failed?.(new SightlineError('CONNECTION_FAILED'));
    this.#tell(state);
  }

  #tell(state: RTCPeerConnectionState): void {
    this.#state = state;
    this.#events.emit('connection', state);
  }

  /** A server that goes away says so in DTLS, long before ICE notices. */
  #followDtls(): void {
    const dtls = [...this.pc.getReceivers(), ...this.pc.getSenders()].find(({ transport }) => transport)?.transport;
    if (!dtls || dtls.onstatechange) return;
    dtls.onstatechange = () => {
      if (this.#isClosed || (dtls.state !== 'closed' && dtls.state !== 'failed')) return;
      this.#isGone = true;
      this.#tell('closed');
    };
  }

  /** No pair works: TURN servers, where the server has any, may. */
  async #seekHelp(signal: AbortSignal): Promise<void> {
    if (this.isConnected || !(await this.#refresh(signal))) return;
    await this.restartIce(signal).catch(() => undefined);
  }

  /** True when there are other ICE servers than before. */
  async #refresh(signal: AbortSignal): Promise<boolean> {
    if (!(await this.#init.iceServers.refresh(signal)) || this.#isClosed) return false;
    this.pc.setConfiguration(this.#init.iceServers.configuration);
    return true;
  }

  #found(candidate: RTCIceCandidate | null): void {
    if (candidate && candidate.candidate !== '') this.#candidates.push(candidate);
    else this.#isGathered = true;
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (!this.#session || this.#isRestarting || this.#batch || this.#isClosed || (this.#candidates.length === 0 && !this.#isGathered))
      return;
    this.#batch = this.#init.env.clock.after(BATCH_MS, () => {
      this.#batch = undefined;
      const sdp = this.pc.localDescription?.sdp;
      if (this.#isRestarting || this.#isClosed || sdp === undefined) return;
      const [candidates, isGathered] = [this.#candidates, this.#isGathered];
      this.#candidates = [];
      this.#isGathered = false;
      if (candidates.length > 0 || isGathered) void this.#session?.trickle(fragment(sdp, candidates, isGathered));
    });
  }
}
