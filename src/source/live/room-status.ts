import type { RoomState } from '../source.js';

/** A room as its listeners see it. */
export interface RoomStatus {
  /** Id of the room. */
  readonly room: string;
  /** Whether somebody publishes. */
  readonly state: RoomState;
  /** Client id of who publishes, or of who may come back; undefined where the room is empty. */
  readonly publisherId: string | undefined;
}
