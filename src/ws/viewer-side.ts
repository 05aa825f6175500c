/**
 * A viewer of a room: the server makes the offer, as soon as the room is live and again each time it comes back to
 * life; the viewer answers. Stays in the room when the room's source ends.
 */
import { Backoff } from '../base/backoff.js';
import type { Timer } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import type { EndReason } from '../media/index.js';
import type { OpenedViewing, TrickledCandidate, WantedTracks } from '../webrtc/index.js';
import type { RoomState } from './deps.js';
import { Exchange } from './exchange.js';
import type { Outgoing } from './outbox.js';
import { RestartWatch } from './restart-watch.js';
import { addWaiting, wrongState, type Side, type SideDeps, type SideHost } from './side.js';

/** Ends that are the room's: the viewer waits for what comes next. */
const ENDS_OF_THE_ROOM: ReadonlySet<EndReason> = new Set([
  'source-ended',
  'source-failed',
  'publisher-left',
  'publisher-gone',
  'publisher-replaced',
]);

interface Viewing {
  readonly opened: OpenedViewing;
  readonly exchange: Exchange;
  readonly watch: RestartWatch;
  readonly sinceMs: number;
}

/** The media of a viewer. */
export class ViewerSide implements Side {
  readonly #host: SideHost;
  readonly #deps: SideDeps;
  readonly #wanted: WantedTracks;
  readonly #backoff = new Backoff({ firstMs: 500 });
  #viewing: Viewing | undefined;
  #retry: Timer | undefined;
  /** Of the room, when the wait began. */
  #stateBefore: RoomState | undefined;
  #isOpening = false;
  #isRestarting = false;
  /** The answer that is being taken; never rejects. */
  #answering: Promise<void> | undefined;
  #isClosed = false;
  #lastAnswer: string | undefined;
  /** The last error of that kind. */
  #told: string | undefined;

  constructor(host: SideHost, deps: SideDeps, wanted: WantedTracks) {
    this.#host = host;
    this.#deps = deps;
    this.#wanted = wanted;
  }

  get sessionId(): string | undefined {
    return this.#viewing?.opened.sessionId;
  }

  /** The offer and candidates that the viewer has not answered yet. */
  get unanswered(): readonly Outgoing[] {
    return this.#viewing?.exchange.isAwaitingAnswer ? this.#viewing.exchange.latest : [];
  }

  open(): void {
    if (this.#isClosed || this.#viewing || this.#isOpening || this.#isWaiting || !this.#canBeWatched) return;
    this.#stopWaiting();
    this.#isOpening = true;
    this.#offer()
      .catch(async (error: unknown) => this.#refused(error instanceof MediaPeerError ? await this.#host.rights.readable(error) : error))
      .finally(() => (this.#isOpening = false));
  }

  async describe(sdp: string): Promise<void> {
    const { exchange } = this.#current();
    if (!exchange.isAwaitingAnswer && sdp === this.#lastAnswer) return;
    if (!exchange.isAwaitingAnswer || this.#answering) throw wrongState('there is no offer that waits for an answer');
    const taken = this.#take(sdp, this.#current());
    this.#answering = taken.catch(() => undefined).finally(() => (this.#answering = undefined));
    await taken;
  }

  candidate(candidate: TrickledCandidate): void {
    const { opened, exchange } = this.#current();
    const usable = exchange.remote(candidate);
    if (usable.length > 0) this.#deps.sessions.addCandidates(opened.sessionId, usable);
  }

  async restart(): Promise<void> {
    await this.#answering;
    const viewing = this.#current();
    const { opened, exchange } = viewing;
    // What was offered is as good, if only it arrives.
    if (exchange.isAwaitingAnswer) return this.#host.resend(exchange.latest);
    if (this.#isRestarting) return;
    this.#isRestarting = true;
    exchange.hold();
    try {
      const sdp = await this.#deps.sessions.offerRestart(opened.sessionId);
      if (this.#viewing === viewing) exchange.describe('offer', sdp);
    } catch (error) {
      exchange.release();
      throw error;
    } finally {
      this.#isRestarting = false;
    }
  }

  close(reason: EndReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopWaiting();
    this.#viewing?.watch.close();
    if (this.#viewing) this.#deps.closing.close(this.#host.clientId, this.#viewing.opened.sessionId, reason);
    this.#viewing = undefined;
  }

  async #take(sdp: string, { opened, exchange }: Viewing): Promise<void> {
    try {
      await this.#deps.sessions.answer(opened.sessionId, sdp);
    } catch (error) {
      // The session has ended, or goes on as it was: this offer will not be answered any more.
      exchange.refused();
      throw error;
    }
    this.#lastAnswer = sdp;
    addWaiting(this.#deps.sessions, this.#host, opened.sessionId, exchange.described(sdp));
  }

  #current(): Viewing {
    if (this.#viewing) return this.#viewing;
    throw wrongState(`room '${this.#host.room}' is ${this.#host.state}; there was no offer yet, it follows as soon as the room is live`);
  }

  /** Of a wall other sources may be there; what was recorded is. */
  get #canBeWatched(): boolean {
    return this.#host.canBeWatched || this.#wanted.tiles !== undefined || this.#wanted.atMs !== undefined;
  }

  /** May change with each wait. */
  #hasLeft(): boolean {
    return this.#isClosed;
  }

  async #offer(): Promise<void> {
    const { sessions, closing, clock, logger } = this.#deps;
    const exchange = new Exchange((message) => this.#host.send(message));
    const restart = (): void => {
      this.restart().catch((error: unknown) => logger.debug({ err: error, clientId: this.#host.clientId }, 'ICE could not be restarted'));
    };
    const watch = new RestartWatch(clock, restart);
    await closing.settled(this.#host.clientId);
    // Time may have passed since it was allowed to have all of that.
    const answers = await Promise.all(this.#wanted.sourceIds.map((sourceId) => this.#host.rights.mayWatch(sourceId)));
    if (this.#hasLeft()) return;
    if (answers.includes(false)) return this.#host.end('access-ended');
    const opened = await sessions.offer({
      door: 'ws',
      address: this.#host.address,
      clientId: this.#host.clientId,
      ...this.#wanted,
      rights: this.#host.rights,
      onCandidate: (candidate) => exchange.local(candidate),
      onState: (state) => watch.state(state),
      onRestartNeeded: restart,
    });
    if (this.#hasLeft()) return closing.close(this.#host.clientId, opened.sessionId, 'viewer-left');
    const viewing = { opened, exchange, watch, sinceMs: clock.now() };
    this.#viewing = viewing;
    // A camera that was connected for this viewer delivers now.
    this.#host.roomChanged();
    exchange.describe('offer', opened.sdp);
    void opened.ended.then((reason) => this.#ended(viewing, reason));
  }

  #ended({ watch, sinceMs }: Viewing, reason: EndReason): void {
    watch.close();
    this.#viewing = undefined;
    if (this.#isClosed) return;
    if (!ENDS_OF_THE_ROOM.has(reason)) return this.#host.end(reason);
    this.#tryAgain(this.#backoff.next(this.#deps.clock.now() - sinceMs));
    this.#host.roomChanged();
  }

  async #refused(thrown: unknown): Promise<void> {
    const error = thrown instanceof MediaPeerError ? await this.#host.rights.readable(thrown) : thrown;
    if (this.#isClosed) return;
    const isOfTheRoom = error instanceof MediaPeerError && (error.code === 'SOURCE_NOT_LIVE' || error.code === 'SOURCE_NOT_FOUND');
    if (!(error instanceof MediaPeerError)) {
      this.#deps.logger.error({ err: error }, 'a viewer could not be offered to');
      return this.#host.end('negotiation-failed');
    }
    if (!isOfTheRoom || this.#isNews(error)) this.#host.report(error);
    if (isOfTheRoom || error.retryAfterS !== undefined) return this.#tryAgain(Math.max(error.retryAfterS ?? 0, 1) * 1000);
    this.#host.end('negotiation-failed');
  }

  /** Which of a wall's sources is missing; once, as it is looked for again and again. */
  #isNews({ message }: MediaPeerError): boolean {
    const isNews = this.#wanted.tiles !== undefined && message !== this.#told;
    this.#told = message;
    return isNews;
  }

  /** False, too, where the room has come to life meanwhile: what failed before says nothing of what is there now. */
  get #isWaiting(): boolean {
    const hasCome = this.#host.state === 'live' && this.#stateBefore !== 'live';
    return this.#retry !== undefined && !hasCome;
  }

  #stopWaiting(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  #tryAgain(delayMs: number): void {
    this.#stateBefore = this.#host.state;
    this.#retry = this.#deps.clock.after(delayMs, () => {
      this.#retry = undefined;
      this.open();
    });
  }
}
