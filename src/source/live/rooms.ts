/**
 * Rooms: sources that somebody publishes to. Every name that is allowed is a room and has a state; those that nobody
 * publishes to are `empty` and take no memory. Knows no transport: whoever receives media writes frames.
 */
import type { Clock } from '../../base/clock.js';
import { MediaPeerError } from '../../base/errors.js';
import { capacityReached, RETRY_AFTER_S, serverClosing } from '../../base/refusals.js';
import { Listeners } from '../../base/listeners.js';
import type { Logger } from '../../base/logger.js';
import type { Publication, PublicationRequest } from '../../media/index.js';
import type { RoomStatus } from './room-status.js';
import { LiveRoom } from './room.js';
import { emptySource } from './source.js';
import type { Caption } from '../picture-slate.js';
import type { Source } from '../source.js';

/** Who may publish where, and for how long rooms wait. */
export interface LiveRoomsInit {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds viewers wait for a publisher that was lost. */
  readonly graceMs: number;
  /** What has the name already, in words (`a file`); undefined where the name is free. */
  readonly isTaken?: (room: string) => string | undefined;
  /** Writes on the slate. Default: it has no text. */
  readonly caption?: Caption;
  /** Rooms that are known although nobody has published to them yet. */
  readonly expected?: readonly string[];
}

/** Rooms that are live or waited for, at a time. */
const MAX_ROOMS = 1_000;
/** Names of rooms that were live once: who asks for one is told that it is not live, not that it does not exist. */
const MAX_REMEMBERED = 1_000;

/** All rooms that somebody publishes to. */
export class LiveRooms {
  readonly #init: LiveRoomsInit;
  readonly #changes: Listeners<RoomStatus>;
  /** Live or waiting. */
  readonly #rooms = new Map<string, LiveRoom>();
  readonly #expected: ReadonlySet<string>;
  readonly #remembered = new Set<string>();
  #isClosed = false;

  constructor(init: LiveRoomsInit) {
    this.#init = init;
    this.#expected = new Set(init.expected);
    this.#changes = new Listeners(init.logger, 'rooms');
  }

  /**
   * Begins to publish to a room.
   * @throws MediaPeerError ROOM_INVALID, ROOM_TAKEN, CAPACITY_REACHED, SERVER_CLOSING
   */
  publish(request: PublicationRequest): Publication {
    if (this.#isClosed) throw serverClosing();
    const { room: id } = request;
    if (!isRoomName(id))
      throw new MediaPeerError(
        'ROOM_INVALID',
        `'${id.slice(0, 80)}' cannot name a room: take 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-', not dots alone`,
      );
    const known = this.#rooms.get(id);
    if (known) return known.publish(request);
    const owner = this.#init.isTaken?.(id);
    if (owner !== undefined)
      throw new MediaPeerError('ROOM_TAKEN', `'${id}' is the name of ${owner}, which nobody can publish to; take another name`, {
        details: { sourceId: id },
      });
    if (this.#rooms.size >= MAX_ROOMS) throw capacityReached(`${MAX_ROOMS} rooms are live already`, RETRY_AFTER_S.room);
    const room: LiveRoom = new LiveRoom({
      id,
      clock: this.#init.clock,
      logger: this.#init.logger,
      graceMs: this.#init.graceMs,
      caption: this.#init.caption ?? (() => Promise.resolve()),
      onChange: () => this.#changed(room),
    });
    this.#rooms.set(id, room);
    return room.publish(request);
  }

  /** State of a room; one of an invalid name is empty, too. */
  status(room: string): RoomStatus {
    return this.#rooms.get(room)?.status ?? { room, state: 'empty', publisherId: undefined };
  }

  /** Calls `listener` whenever a room changes its state or its publisher. Call the returned function to stop listening. */
  onState(listener: (status: RoomStatus) => void): () => void {
    return this.#changes.add(listener);
  }

  /** The room as a source. Undefined where nothing is known of it: it was never live, and is not expected. */
  get(room: string): Source | undefined {
    const known = this.#rooms.get(room);
    if (known) return known.source;
    return this.#expected.has(room) || this.#remembered.has(room) ? emptySource(room) : undefined;
  }

  /** Rooms that are live, waited for or expected, by name. */
  list(): Source[] {
    const ids = new Set([...this.#rooms.keys(), ...this.#expected]);
    return [...ids].sort().map((id) => this.#rooms.get(id)?.source ?? emptySource(id));
  }

  /** Asks the camera of a room to reconnect; false where there is none. */
  requestReconnect(room: string, reason: string): boolean {
    return this.#rooms.get(room)?.requestReconnect(reason) ?? false;
  }

  /** Ends every room. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const room of [...this.#rooms.values()]) room.close('server-closing');
  }

  #changed(room: LiveRoom): void {
    const { status } = room;
    if (status.state === 'empty') {
      this.#rooms.delete(room.id);
      this.#remember(room.id);
    }
    this.#changes.tell(status);
  }

  #remember(id: string): void {
    this.#remembered.delete(id);
    this.#remembered.add(id);
    const [oldest] = this.#remembered;
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }
}

/** 1 to 64 of `[A-Za-z0-9._-]`; dots alone cannot stand in an address. */
function isRoomName(name: string): boolean {
  return /^[A-Za-z0-9._-]{1,64}$/.test(name) && !/^\.+$/.test(name);
}
