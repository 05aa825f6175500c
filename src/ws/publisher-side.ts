/**
 * A publisher of a room: its client makes the offer, the server answers. A further offer of the same connection
 * restarts ICE; one of another connection replaces what was published before, without viewers noticing more than that.
 */
import type { EndReason } from '../media/index.js';
import type { OpenedSession, TrickledCandidate } from '../webrtc/index.js';
import { connectionOf } from './candidates.js';
import { Exchange } from './exchange.js';
import type { Outgoing } from './outbox.js';
import { RestartWatch } from './restart-watch.js';
import { addWaiting, wrongState, type Side, type SideDeps, type SideHost } from './side.js';

interface Publishing {
  readonly opened: OpenedSession;
  readonly exchange: Exchange;
  readonly watch: RestartWatch;
}

/** The media of a publisher. */
export class PublisherSide implements Side {
  readonly #host: SideHost;
  readonly #deps: SideDeps;
  readonly #mayTakeOver: boolean;
  /** Always empty: the server makes no offers here. */
  readonly unanswered: readonly Outgoing[] = [];
  #publishing: Publishing | undefined;
  /** Of the offer that is being answered, or that is to come. */
  #next: Exchange | undefined;
  #lastOffer = '';
  #restartRequest: Outgoing | undefined;
  #isBusy = false;
  #isClosed = false;

  constructor(host: SideHost, deps: SideDeps, mayTakeOver: boolean) {
    this.#host = host;
    this.#deps = deps;
    this.#mayTakeOver = mayTakeOver;
    this.#next = this.#exchange();
  }

  get sessionId(): string | undefined {
    return this.#publishing?.opened.sessionId;
  }

  open(): void {
    // The client begins.
  }

  async describe(sdp: string): Promise<void> {
    if (this.#isBusy) throw wrongState('the offer before this one is not answered yet');
    const current = this.#publishing;
    // It did not get the answer.
    if (current && sdp === this.#lastOffer) return this.#host.resend(current.exchange.latest);
    this.#isBusy = true;
    this.#restartRequest = undefined;
    try {
      if (current && connectionOf(sdp) === connectionOf(this.#lastOffer)) await this.#restartBy(sdp, current);
      else await this.#publish(sdp);
      this.#lastOffer = sdp;
    } finally {
      this.#isBusy = false;
    }
  }

  candidate(candidate: TrickledCandidate): void {
    const usable = (this.#next ?? this.#publishing?.exchange)?.remote(candidate) ?? [];
    if (usable.length > 0 && this.#publishing) this.#deps.sessions.addCandidates(this.#publishing.opened.sessionId, usable);
  }

  /** The side that sends makes the offer: the client is asked for one. */
  restart(): Promise<void> {
    if (!this.#publishing) return Promise.reject(wrongState('nothing is published yet; send an offer'));
    if (this.#restartRequest) this.#host.resend([this.#restartRequest]);
    else this.#restartRequest = this.#host.send({ type: 'restart' });
    return Promise.resolve();
  }

  close(reason: EndReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#publishing?.watch.close();
    if (this.#publishing) this.#deps.closing.close(this.#host.clientId, this.#publishing.opened.sessionId, reason);
    this.#publishing = undefined;
  }

  #exchange(): Exchange {
    return new Exchange((message) => this.#host.send(message));
  }

  async #restartBy(sdp: string, { opened, exchange }: Publishing): Promise<void> {
    exchange.hold();
    try {
      const answer = await this.#deps.sessions.restartByOffer(opened.sessionId, sdp);
      if (this.#isClosed) return;
      exchange.describe('answer', answer);
      addWaiting(this.#deps.sessions, this.#host, opened.sessionId, exchange.described(sdp));
    } catch (error) {
      exchange.release();
      throw error;
    }
  }

  /** May change with each wait. */
  #hasLeft(): boolean {
    return this.#isClosed;
  }

  async #publish(sdp: string): Promise<void> {
    const { sessions, closing, clock } = this.#deps;
    const { clientId } = this.#host;
    await closing.settled(clientId);
    if (this.#hasLeft()) return;
    const before = this.#publishing;
    const exchange = (this.#next ??= this.#exchange());
    const watch = new RestartWatch(clock, () => void this.restart().catch(() => undefined));
    let opened: OpenedSession;
    try {
      opened = await sessions.publish({
        door: 'ws',
        address: this.#host.address,
        clientId,
        room: this.#host.room,
        sdp,
        takeover: this.#mayTakeOver || before !== undefined,
        onCandidate: (candidate) => exchange.local(candidate),
        onState: (state) => watch.state(state),
        onCommand: (command) => void this.#host.send(command),
      });
    } catch (error) {
      this.#next = before ? undefined : this.#exchange();
      throw error;
    }
    if (this.#hasLeft()) return closing.close(clientId, opened.sessionId, 'publisher-left');
    const publishing = { opened, exchange, watch };
    this.#publishing = publishing;
    this.#next = undefined;
    if (before) {
      before.watch.close();
      closing.close(clientId, before.opened.sessionId, 'publisher-replaced');
    }
    exchange.describe('answer', opened.sdp);
    void opened.ended.then((reason) => this.#ended(publishing, reason));
    addWaiting(sessions, this.#host, opened.sessionId, exchange.described(sdp));
  }

  #ended(ended: Publishing, reason: EndReason): void {
    ended.watch.close();
    if (this.#publishing !== ended || this.#isClosed) return;
    this.#publishing = undefined;
    if (reason !== 'publisher-gone') return this.#host.end(reason);
    // It closed its connection and is still here: another one follows.
    this.#next ??= this.#exchange();
  }
}
