/** Who has joined which room: one membership for each client id, which nobody but its owner can resume. */
import { randomBytes } from 'node:crypto';
import { MediaPeerError } from '../base/errors.js';
import { capacityReached, serverClosing } from '../base/refusals.js';
import type { EndReason } from '../media/index.js';
import { claimClientId, readTracks } from '../webrtc/index.js';
import { whoGivesWay } from '../base/fair-share.js';
import { isSameSecret } from '../base/secret.js';
import { HeldRights, type Approach, type Principal } from '../access/index.js';
import { ClosingSessions } from './closing-sessions.js';
import type { RoomsDeps } from './deps.js';
import { Member, type Link } from './member.js';
import type { MessageOf, Topic } from './protocol.js';
import { wrongState, type SideDeps } from './side.js';

/** At most one `reconnect` a room in this time, however many viewers ask. */
const RECONNECT_PERIOD_MS = 5000;
const MAX_REASON_CHARS = 200;

/** What each role needs the right for. */
const ACTION_OF = { viewer: 'watch', publisher: 'publish' } as const;

/** All memberships. */
export class Rooms {
  readonly #deps: RoomsDeps & SideDeps;
  readonly #closing: ClosingSessions;
  readonly #maxMembers: number;
  readonly #members = new Map<string, Member>();
  /** When a room's publisher was last asked to reconnect. */
  readonly #asked = new Map<string, number>();
  readonly #stopListening: () => void;
  #isClosed = false;

  /** Listens to the directory until `close`. */
  constructor(deps: RoomsDeps, maxMembers: number) {
    this.#closing = new ClosingSessions(deps);
    this.#deps = { ...deps, closing: this.#closing };
    this.#maxMembers = maxMembers;
    this.#stopListening = deps.directory.onState((room) => {
      for (const member of [...this.#members.values()]) if (member.room === room) member.roomChanged();
    });
  }

  /** Notices what the directory does not tell of: files that are added and removed. */
  look(): void {
    for (const member of [...this.#members.values()]) member.roomChanged();
  }

  /** Memberships, those of clients that are away included. */
  get size(): number {
    return this.#members.size;
  }

  /**
   * Lets a client in, or back in.
   * @throws MediaPeerError RESUME_REFUSED, ROOM_INVALID, ROOM_TAKEN, UNAUTHORIZED, FORBIDDEN, SOURCE_NOT_FOUND, TOO_MANY_REQUESTS, CAPACITY_REACHED, SERVER_CLOSING, MESSAGE_INVALID, NEGOTIATION_STATE
   */
  async join(message: MessageOf<'join'>, approach: Approach, link: Link): Promise<Member> {
    this.#throwIfClosed();
    const { access, directory } = this.#deps;
    const owned = this.#owned(message);
    await owned?.rights.resume(approach);
    const principal = owned?.rights.principal ?? (await this.#authorize(message, approach));
    const sources = await access.permitted(principal, 'watch', directory.sources());
    const mayRelay = await access.may(principal, 'ice', 'some');
    this.#throwIfClosed();
    const resumed = this.#owned(message);
    const member = resumed ?? this.#admit(message, approach, principal);
    this.#deps.logger.info(
      { clientId: member.clientId, sourceId: member.room, role: member.role, isResumed: resumed !== undefined },
      'joined the room',
    );
    member.attach(link, { isResumed: resumed !== undefined, sources, mayRelay });
    return member;
  }

  /** Subscribes a member to these topics and to no others. @throws MediaPeerError FORBIDDEN for detections; the other topics are subscribed to all the same */
  async subscribe({ rights: { principal }, room, topics, address }: Member, wanted: readonly Topic[]): Promise<void> {
    const { access } = this.#deps;
    const mayHaveAll = !wanted.includes('detections') || (await access.may(principal, 'data', { source: room }));
    await topics.set(mayHaveAll ? wanted : wanted.filter((topic) => topic !== 'detections'));
    if (!mayHaveAll) await access.demand(principal, 'data', { source: room }, address);
  }

  /**
   * Asks the room's publisher to start again: somebody sees no progress.
   * @throws MediaPeerError SOURCE_NOT_LIVE where nobody publishes
   */
  requestReconnect(room: string, reason: string): void {
    const nowMs = this.#deps.clock.now();
    for (const [asked, atMs] of this.#asked) if (nowMs - atMs >= RECONNECT_PERIOD_MS) this.#asked.delete(asked);
    if (this.#asked.has(room)) return;
    if (!this.#deps.requestReconnect(room, sanitised(reason)))
      throw new MediaPeerError('SOURCE_NOT_LIVE', `room '${room}' has no publisher, so it cannot be asked`);
    this.#asked.set(room, nowMs);
  }

  /** Ends the membership of a client; false where there is none of that id. */
  disconnect(clientId: string, reason: EndReason): boolean {
    const member = this.#members.get(clientId);
    member?.end(reason);
    return member !== undefined;
  }

  /** Ends every membership; nobody gets in any more. Idempotent. */
  close(reason: EndReason): void {
    this.#isClosed = true;
    this.#stopListening();
    for (const member of [...this.#members.values()]) member.end(reason);
  }

  /** The membership that the client proves to own; undefined where it begins a new one. */
  #owned({ client_id: clientId, resume_token: token, room, role }: MessageOf<'join'>): Member | undefined {
    if (token === undefined) return undefined;
    if (clientId === undefined)
      throw new MediaPeerError('MESSAGE_INVALID', 'a resume_token belongs to a client_id; send both, or neither to join as a new client');
    const member = this.#members.get(clientId);
    if (!member) return undefined;
    if (!isSameSecret(token, member.resumeToken))
      throw new MediaPeerError(
        'RESUME_REFUSED',
        `client id '${clientId}' is in use, and this is not its resume token; join without one to get another id`,
      );
    if (member.room !== room || member.role !== role)
      throw wrongState(`client '${clientId}' is ${member.role} of room '${member.room}'; resume that and leave it first`);
    return member;
  }

  #admit({ client_id: requested, room, role, tracks, at }: MessageOf<'join'>, approach: Approach, principal: Principal): Member {
    const { address } = approach;
    const rights = new HeldRights(this.#deps.access, approach, principal);
    if (this.#members.size >= this.#maxMembers)
      whoGivesWay([...this.#members.values()], address, (member) =>
        member.sessionId === undefined ? Number(member.isAway) : undefined,
      )?.end('gave-way');
    if (this.#members.size >= this.#maxMembers) throw capacityReached(`all ${this.#maxMembers} places are taken`);
    const clientId = claimClientId(
      requested,
      { has: (id) => this.#members.has(id) || (this.#deps.isClientIdTaken(id) && !this.#closing.has(id)) },
      role,
    );
    if (requested !== undefined && clientId !== requested)
      this.#deps.logger.warn({ requestedClientId: requested, clientId, sourceId: room }, 'client id collision');
    const wanted = { ...readTracks(tracks, room, 'MESSAGE_INVALID'), ...(at !== undefined && { atMs: at * 1000 }) };
    const sourceIds = role === 'viewer' ? wanted.sourceIds : [room];
    const member = new Member({
      clientId,
      address,
      rights,
      room,
      role,
      resumeToken: randomBytes(24).toString('base64url'),
      wanted,
      mayTakeOver: rights.wasShown && this.#deps.allowTakeover,
      deps: this.#deps,
      onEnded: () => {
        release();
        this.#members.delete(clientId);
      },
    });
    // Commands may have led its session to other sources; without one, what it asked for is offered again.
    const release = rights.guard({
      action: ACTION_OF[role],
      sources: () => {
        const sources = member.sessionId === undefined ? [] : this.#deps.allSourcesOf(member.sessionId);
        return sources.length > 0 ? sources : sourceIds;
      },
      session: () => member.sessionId,
      onLost: () => member.end('access-ended'),
    });
    this.#members.set(clientId, member);
    return member;
  }

  /** Who joins, where they may. */
  async #authorize({ room, role, tracks, at }: MessageOf<'join'>, approach: Approach): Promise<Principal> {
    const { access, directory } = this.#deps;
    if (!/^(?!\.+$)[A-Za-z0-9._-]{1,64}$/.test(room))
      throw new MediaPeerError(
        'ROOM_INVALID',
        "the name of a room is 1 to 64 characters of letters, digits, '.', '_' and '-', not dots alone",
      );
    const { sourceIds } = readTracks(role === 'viewer' ? tracks : undefined, room, 'MESSAGE_INVALID');
    const [first = room, ...others] = sourceIds;
    const principal = await access.admit(approach, ACTION_OF[role], { source: first });
    for (const source of others) await access.admit(approach, ACTION_OF[role], { source });
    if (role === 'viewer' && at !== undefined) await access.admit(approach, 'playback', { source: room });
    if (role === 'publisher' && (directory.describe(room)?.kind ?? 'live') !== 'live')
      throw await access.readable(
        principal,
        new MediaPeerError('ROOM_TAKEN', `'${room}' is the name of another source; choose another name for the room`, {
          details: { sourceId: room },
        }),
      );
    return principal;
  }

  #throwIfClosed(): void {
    if (this.#isClosed) throw serverClosing();
  }
}

/** One line of ordinary characters. */
function sanitised(reason: string): string {
  return (
    reason
      .slice(0, MAX_REASON_CHARS * 4)
      .replace(/[\p{C}\p{Z}]+/gu, ' ')
      .trim()
      .slice(0, MAX_REASON_CHARS) || 'asked for by a client'
  );
}
