/**
 * Somebody who has joined a room. Lives on for a while when its WebSocket is gone, with its media, which does not
 * depend on it; what is sent meanwhile is kept, and delivered in order to the socket that resumes.
 */
import type { Timer } from '../base/clock.js';
import type { MediaPeerError } from '../base/errors.js';
import type { EndReason } from '../media/index.js';
import { turnUserOf, type HeldRights } from '../access/index.js';
import type { WantedTracks } from '../webrtc/index.js';
import type { RoomsDeps, RoomState } from './deps.js';
import { Outbox, type Outgoing } from './outbox.js';
import { PublisherSide } from './publisher-side.js';
import type { Side, SideDeps, SideHost } from './side.js';
import { Topics, type TopicsHost } from './topics.js';
import { ViewerSide } from './viewer-side.js';

/** How long a client may be away. */
const AWAY_MS = 30_000;

/** What a member does in its room. */
export type Role = 'viewer' | 'publisher';

/** The way to a client that is there. */
export interface Link {
  /** True while the client does not keep up. */
  readonly isFull: boolean;
  /** False where the client is gone: then nothing was sent. */
  send(message: Outgoing): boolean;
  /** The membership has ended. */
  ended(): void;
  /** Another socket of the same client has taken over. */
  replaced(): void;
}

/** Who joins, and as what. */
export interface MemberInit {
  /** Unique among all members. */
  readonly clientId: string;
  /** Whose requests count together: an IPv4 address, or a /64 of IPv6. */
  readonly address: string;
  /** What it may turn to. */
  readonly rights: HeldRights;
  /** What is joined. */
  readonly room: string;
  /** What the member does there. */
  readonly role: Role;
  /** Secret by which its owner takes the membership up again on another WebSocket. */
  readonly resumeToken: string;
  /** What a viewer wants. */
  readonly wanted: WantedTracks;
  /** True where a publisher may push the present one of the room out. */
  readonly mayTakeOver: boolean;
  /** What its media needs. */
  readonly deps: RoomsDeps & SideDeps;
  /** Called once, when the membership is over. */
  readonly onEnded: () => void;
}

/** What a client is told when it comes, or comes back. */
export interface Welcome {
  /** True where it was a member before. */
  readonly isResumed: boolean;
  /** Names of what it may watch. */
  readonly sources: readonly string[];
  /** Whether it gets ICE servers. */
  readonly mayRelay: boolean;
}

/** A membership of a room. */
export class Member implements SideHost, TopicsHost {
  /** Unique among all members. */
  readonly clientId: string;
  /** Whose requests count together: an IPv4 address, or a /64 of IPv6. */
  readonly address: string;
  /** What it may turn to. */
  readonly rights: HeldRights;
  readonly room: string;
  readonly role: Role;
  /** Secret by which its owner takes the membership up again on another WebSocket. */
  readonly resumeToken: string;
  /** Its media. */
  readonly side: Side;
  /** What it has subscribed to. */
  readonly topics: Topics;
  readonly #deps: RoomsDeps;
  readonly #onEnded: () => void;
  readonly #outbox = new Outbox();
  #link: Link | undefined;
  #away: Timer | undefined;
  #toldState: RoomState = 'empty';
  #toldRoom = '';
  #isEnded = false;

  constructor({ clientId, address, rights, room, role, resumeToken, wanted, mayTakeOver, deps, onEnded }: MemberInit) {
    this.clientId = clientId;
    this.address = address;
    this.rights = rights;
    this.room = room;
    this.role = role;
    this.resumeToken = resumeToken;
    this.#deps = deps;
    this.#onEnded = onEnded;
    this.topics = new Topics(this, deps);
    this.side = role === 'viewer' ? new ViewerSide(this, deps, wanted) : new PublisherSide(this, deps, mayTakeOver);
  }

  /** State of its room. */
  get state(): RoomState {
    return this.#deps.directory.describe(this.room)?.state ?? 'empty';
  }

  /** Whether an offer to a viewer makes sense now. */
  get canBeWatched(): boolean {
    return this.state !== 'empty' || this.#deps.directory.describe(this.room)?.kind === 'pull';
  }

  /** Its session; undefined where it has none at the moment. */
  get sessionId(): string | undefined {
    return this.side.sessionId;
  }

  /** True while its client has no socket. */
  get isAway(): boolean {
    return this.#link === undefined;
  }

  /** Whether it may be told what is detected in its room. */
  get mayHaveData(): boolean {
    return this.rights.mayHaveData(this.room);
  }

  /** True where topics should wait: the client reads too slowly. */
  get isFull(): boolean {
    return this.#link?.isFull ?? false;
  }

  /** The client is there: tells it what it has joined, then what it missed. */
  attach(link: Link, welcome: Welcome): void {
    const before = this.#link;
    this.#away?.cancel();
    this.#away = undefined;
    this.#link = link;
    before?.replaced();
    this.#toldState = this.state;
    const missed = this.#outbox.drain();
    const unanswered = this.side.unanswered.filter((message) => !missed.includes(message));
    // Where this socket breaks again, what is left is kept for the next.
    for (const message of [signalling(this.#joined(welcome)), ...unanswered, ...missed]) this.#deliver(message);
    this.side.open();
  }

  /** The client's socket is gone; does nothing where another one has taken over. */
  detach(link: Link): void {
    if (this.#link !== link || this.#isEnded) return;
    this.#link = undefined;
    this.#away = this.#deps.clock.after(AWAY_MS, () => this.end(this.role === 'viewer' ? 'viewer-left' : 'publisher-gone'));
  }

  /** Sends signalling; kept while the client is away. */
  send(message: object): Outgoing {
    return this.#deliver(signalling(message));
  }

  /** Sends what was subscribed to; dropped first where too much waits. */
  sendTopic(text: string): void {
    this.#deliver({ kind: 'topic', text });
  }

  /** Sends messages once more, save those that still wait. */
  resend(messages: readonly Outgoing[]): void {
    for (const message of messages) if (!this.#outbox.has(message)) this.#deliver(message);
  }

  /** Tells the client what was wrong. */
  report(error: MediaPeerError): void {
    this.send({ type: 'error', code: error.code, message: error.message });
  }

  /** The room went live, came back or ended. */
  roomChanged(): void {
    if (this.#isEnded) return;
    this.tellRoom(false);
    this.topics.roomChanged();
    this.side.open();
  }

  /** Tells the client of its room. @param isAlways also where nothing has changed */
  tellRoom(isAlways: boolean): void {
    const { state } = this;
    // Who has not subscribed hears of states alone.
    if (!isAlways && state === this.#toldState && !this.topics.has('room')) return;
    const room = JSON.stringify(this.#roomMessage());
    if (!isAlways && state === this.#toldState && room === this.#toldRoom) return;
    this.#toldState = state;
    this.#toldRoom = room;
    this.sendTopic(room);
  }

  /** Ends the membership and its media. Idempotent. */
  end(reason: EndReason): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#away?.cancel();
    this.topics.close();
    this.side.close(reason);
    this.#outbox.clear();
    this.#link?.send(signalling({ type: 'left', reason }));
    this.#link?.ended();
    this.#link = undefined;
    this.#deps.logger.info({ clientId: this.clientId, sourceId: this.room, role: this.role, reason }, 'left the room');
    this.#onEnded();
  }

  #deliver(message: Outgoing): Outgoing {
    if (this.#isEnded) return message;
    const link = this.#link;
    if (link?.send(message)) return message;
    if (link) this.detach(link);
    if (!this.#outbox.push(message)) this.end(this.role === 'viewer' ? 'viewer-left' : 'publisher-gone');
    return message;
  }

  #joined({ isResumed, sources, mayRelay }: Welcome): object {
    return {
      type: 'joined',
      client_id: this.clientId,
      room: this.room,
      role: this.role,
      state: this.state,
      ice_servers: mayRelay ? this.#deps.iceServers(turnUserOf(this.rights.principal) ?? this.clientId) : [],
      sources: [...sources],
      resume_token: this.resumeToken,
      resumed: isResumed,
    };
  }

  #roomMessage() {
    const description = this.#deps.directory.describe(this.room);
    const state = description?.state ?? 'empty';
    return {
      type: 'room',
      room: this.room,
      state,
      publisher: description?.kind === 'live' && state === 'live',
      viewers: this.#deps.viewersOf(this.room),
    };
  }
}

function signalling(message: object): Outgoing {
  return { kind: 'signalling', text: JSON.stringify(message) };
}
