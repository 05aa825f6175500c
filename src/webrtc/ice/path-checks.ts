/**
 * How long the pair in use takes there and back, asked at any time: checks as consent is asked for (RFC 7675 §5.1), beside
 * those that keep it fresh. A peer that reports of its media seldom or not at all answers them at once.
 */
import { RoundTrips } from './round-trips.js';
import type { IceTarget } from './nomination.js';
import type { Checklist } from './werift.js';

/** Checks whose answers are waited for. */
const MAX_ASKED = 64;

/** The answer to a check. */
export interface PathAnswer {
  /** Of the check, as whoever asked named it. */
  readonly id: number;
  /** In ms, without the time in which this process was busy; undefined where that leaves nothing to tell. */
  readonly roundTripMs: number | undefined;
}

/** Of one agent. */
export class PathChecks {
  readonly #checklist: Checklist;
  readonly #roundTrips = new RoundTrips();
  /** By what their answers are told by. */
  readonly #asked = new Map<string, number>();

  constructor(checklist: Checklist) {
    this.#checklist = checklist;
  }

  /** Sends one. */
  ask({ path, host, port }: IceTarget, id: number): void {
    const { name, data } = this.#checklist.makeCheck(path);
    const [oldest] = this.#asked.keys();
    if (this.#asked.size >= MAX_ASKED && oldest !== undefined) this.#asked.delete(oldest);
    this.#asked.set(name, id);
    this.#roundTrips.asked(name);
    path.socket.send(data, host, port);
  }

  /** Takes an answer, where it is to one of these; undefined: it is not. @throws Error where it is malformed */
  answered(data: Buffer): PathAnswer | undefined {
    const name = this.#checklist.nameOfAnswer(data);
    const id = this.#asked.get(name);
    // Who it is from costs more to find out, and matters for few.
    if (id === undefined || !this.#checklist.isAuthentic(data)) return undefined;
    this.#asked.delete(name);
    return { id, roundTripMs: this.#roundTrips.answered(name) };
  }
}
