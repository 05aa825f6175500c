/**
 * Many visits to one server, by all its doors: who comes and how it leaves is dealt from a shuffled deck, so that a
 * seed repeats it and a small number still has everything in it. Each visit checks what the server answers.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { messageOf } from '../../../src/base/errors.js';
import { seededRandom } from '../random.js';
import { Guest, TurnedAway } from './guest.js';
import * as http from './http-visits.js';
import * as rooms from './room-visits.js';

export type ChurnDoor = 'offer' | 'whep' | 'whip' | 'ws';

interface Visit {
  readonly door: ChurnDoor;
  readonly name: string;
  readonly make: (guest: Guest) => Promise<void>;
}

const visit = (door: ChurnDoor, name: string, make: (guest: Guest) => Promise<void>, times = 1): Visit[] =>
  Array.from({ length: times }, () => ({ door, name, make }));

/** Each as often as it comes in one deck. */
const DECK: readonly Visit[] = [
  ...visit('offer', 'watch, DELETE', http.offerAndDelete, 3),
  ...visit('offer', 'watch, close', http.offerAndClose),
  ...visit('offer', 'watch, vanish', http.offerAndVanish),
  ...visit('offer', 'never connect', http.offerAlone),
  ...visit('offer', 'DELETE while connecting', http.offerAndDeleteAtOnce),
  ...visit('offer', 'garbage at the media ports', http.offerUnderGarbage),
  ...visit('offer', 'broken within the request', http.brokenOffer('half')),
  ...visit('offer', 'broken after the request', http.brokenOffer('whole')),
  ...visit('offer', 'broken before the answer', http.brokenOffer('later')),
  ...visit('whep', 'trickle, DELETE', http.whepTrickle, 2),
  ...visit('whep', 'ICE restarts', http.whepRestart),
  ...visit('whep', 'malformed and foreign PATCHes', http.whepBadPatches),
  ...visit('whep', 'PATCH and DELETEs at once', http.whepAllAtOnce),
  ...visit('whep', 'broken after the request', http.brokenWhep('whole')),
  ...visit('whep', 'broken before the answer', http.brokenWhep('later')),
  ...visit('whip', 'publish, DELETE', rooms.whipAndDelete),
  ...visit('whip', 'publish, vanish', rooms.whipAndVanish),
  ...visit('whip', 'never connect', rooms.whipAlone),
  ...visit('whip', 'second publisher', rooms.whipTaken),
  ...visit('whip', 'broken after the request', rooms.brokenWhip('whole')),
  ...visit('ws', 'watch, leave', rooms.wsWatchAndLeave),
  ...visit('ws', 'watch, cut', rooms.wsWatchAndCut),
  ...visit('ws', 'watch, resume', rooms.wsResume),
  ...visit('ws', 'join, cut', rooms.wsJoinAndCut),
  ...visit('ws', 'malformed messages', rooms.wsBadMessages),
  ...visit('ws', 'publish, leave', rooms.wsPublishAndLeave),
  ...visit('ws', 'publish, cut', rooms.wsPublishAndCut),
  ...visit('ws', 'publish, resume', rooms.wsPublishAndResume),
  ...visit('ws', 'offer, cut', rooms.wsOfferAndCut),
];

/** Visits of one deck: fewer than these leave some kinds out. */
export const DECK_SIZE = DECK.length;

/** For the server: short patience, so that everybody who is gone is missed soon, but not less than handshakes on a busy machine need. */
export const CHURN_VARIABLES = {
  MODEL: 'none',
  MAX_CONNECTIONS: '40',
  RATE_LIMIT: '0',
  CONNECTION_TIMEOUT: '8000',
  DISCONNECT_GRACE: '1000',
  PUBLISH_GRACE: '1000',
  IDLE_GRACE: '300',
  LOG_LEVEL: 'warn,http=info',
} as const;

/** How long a full server is left alone. */
const TURNED_AWAY_MS = 500;
const MAX_TRIES = 60;

export interface ChurnInit {
  readonly url: string;
  /** A file that the server serves. */
  readonly source: string;
  readonly seed: number;
  /** Visits at the same time. */
  readonly concurrency: number;
}

export class Churn {
  /** Visits made, by door. */
  readonly visits: Record<ChurnDoor, number> = { offer: 0, whep: 0, whip: 0, ws: 0 };
  /** How often somebody came to a full server. */
  turnedAway = 0;
  /** What did not go as it should. */
  readonly failures: string[] = [];
  readonly #init: ChurnInit;
  readonly #random: () => number;
  #cards: Visit[] = [];
  #guests = 0;

  constructor(init: ChurnInit) {
    this.#init = init;
    this.#random = seededRandom(init.seed);
  }

  /** Makes so many visits; resolves when the last guest has gone, though the server may not have noticed yet. */
  async run(count: number): Promise<void> {
    let left = count;
    const line = async (): Promise<void> => {
      while (left-- > 0) await this.#make(this.#deal());
    };
    await Promise.all(Array.from({ length: this.#init.concurrency }, line));
  }

  #deal(): Visit {
    if (this.#cards.length === 0) {
      const order = DECK.map((card) => ({ card, at: this.#random() }));
      this.#cards = order.sort((a, b) => a.at - b.at).map(({ card }) => card);
    }
    return this.#cards.pop() as Visit;
  }

  async #make({ door, name, make }: Visit): Promise<void> {
    for (let tries = 1; ; tries++) {
      const number = ++this.#guests;
      const guest = new Guest({ ...this.#init, number, random: seededRandom(this.#init.seed * 100_000 + number) });
      try {
        await make(guest);
        this.visits[door]++;
        return;
      } catch (error) {
        if (!(error instanceof TurnedAway) || tries === MAX_TRIES) return void this.failures.push(`${door}: ${name}: ${messageOf(error)}`);
        this.turnedAway++;
      } finally {
        await guest.leave();
      }
      await wait(TURNED_AWAY_MS);
    }
  }
}
