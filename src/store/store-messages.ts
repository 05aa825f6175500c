/** What the server and the thread of the store tell each other. */
import type { EventQuery, EventRetention, EventStill, ReadPositions, StoredEvent } from './event.js';
import type { Entry } from './event-tables.js';
import type { RecordingAnswers, RecordingQuestion } from './recording-tables.js';
import type { SeenAnswers, SeenQuestion } from './seen.js';
import type { SetAside } from './store-file.js';

/** What the thread is started with. */
export interface StoreInit {
  /** Absolute path; undefined: in memory. */
  readonly folder: string | undefined;
  /** How much is kept. */
  readonly retention: EventRetention;
}

/** A question; what was written before it is in the answer, of events also while the disk does not take them. */
export type Question =
  | { readonly kind: 'events'; readonly query: EventQuery }
  | { readonly kind: 'still'; readonly eventId: number }
  | { readonly kind: 'sources' }
  | { readonly kind: 'positions'; readonly reader: string }
  | { readonly kind: 'count-after'; readonly sourceId: string | undefined; readonly afterId: number }
  | { readonly kind: 'note'; readonly name: string }
  | RecordingQuestion
  | SeenQuestion;

/** What each question is answered with. */
export interface Answers extends RecordingAnswers, SeenAnswers {
  /** In the order that was asked for. */
  readonly events: StoredEvent[];
  /** Undefined where the event has none. */
  readonly still: EventStill | undefined;
  /** By name. */
  readonly sources: string[];
  /** Of that reader. */
  readonly positions: ReadPositions;
  /** Of that source. */
  readonly 'count-after': number;
  /** Undefined: there is none of that name. */
  readonly note: string | undefined;
}

/** To the thread. */
export type StoreRequest =
  | { readonly kind: 'write'; readonly entry: Entry }
  | { readonly kind: 'ask'; readonly number: number; readonly question: Question }
  /** Write what waits, give the file back and end. */
  | { readonly kind: 'end' };

/** From the thread. */
export type StoreReply =
  | { readonly kind: 'ready'; readonly lastId: number; readonly counts: readonly (readonly [sourceId: string, state: string])[] }
  | { readonly kind: 'refused'; readonly isBusy: boolean; readonly reason: string }
  /** So many requests to write are done with. */
  | { readonly kind: 'written'; readonly entries: number }
  | { readonly kind: 'answer'; readonly number: number; readonly answer: Answers[Question['kind']] }
  | { readonly kind: 'failed'; readonly number: number; readonly reason: string }
  | { readonly kind: 'set-aside'; readonly setAside: SetAside }
  /** What nothing could be done with; the rest is written. */
  | { readonly kind: 'left-out'; readonly entries: number; readonly reason: string }
  /** Went for their age or size before a reader had come to them. */
  | { readonly kind: 'removed-unread'; readonly events: number }
  /** What waits is tried again. */
  | { readonly kind: 'trouble'; readonly isFull: boolean; readonly reason: string };
