/**
 * The server of AUTH_URL, which knows who may do what. Each answer counts for 5 s, and each distinct question is asked once at a
 * time. What a session goes on by is asked again before its answer ends, so that a no, or a server that is gone, ends it within 5 s;
 * a single failure within them harms nobody. Strangers, whose tokens may be guesses, take their places in a lane of their own.
 */
import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { Turns } from '../base/turns.js';
import { askServer, type Question, type Verdict } from './auth-url-request.js';

/** What asking needs. */
export interface AuthUrlInit {
  /** Address of the server. */
  readonly url: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called where what somebody goes on by was allowed before and is no more. */
  readonly onLost: () => void;
  /** Asks one question. Default: over HTTP. */
  readonly askServer?: typeof askServer;
}

/** What became of all questions since the start. */
export interface AuthUrlStats {
  /** Answered with yes. */
  readonly allowed: number;
  /** Answered with no. */
  readonly denied: number;
  /** Not answered with either, which counts as no. */
  readonly failed: number;
  /** What is wrong with the server now; undefined: it answers. */
  readonly fault: string | undefined;
}

/** How long an answer counts, from when it was asked for. */
const VALID_MS = 5000;
/** From when on that of a session is asked for again; up to the second more, so that not all are asked at once. */
const AGAIN_MS = 3000;
const JITTER_MS = 800;
/** After a failure. */
const RETRY_MS = 500;
/** Where no answer came, the same is not asked again for a moment. */
const FAILED_MS = 1000;
const TIMEOUT_MS = 2500;
/** Whoever goes on by an answer looks at it every second. */
const UNUSED_MS = 2500;
/** How long a token is no guess after it was good for anything. */
const KNOWN_MS = 600_000;
const MAX_ENTRIES = 20_000;
const MAX_KNOWN = 20_000;
/** Questions that are under way at the same time. */
const AT_ONCE = { known: 24, strangers: 8 } as const;
const MAX_WAITING = 1000;
/** Of strangers of one address: others get through beside them, however slow the server is. */
const STRANGERS_OF_ONE = 4;
const WAITED_TOO_LONG: Verdict = { kind: 'unknown', why: 'too many other questions were before this one' };

/** Who asks. */
interface Asking {
  /** Somebody goes on by the answer, and asks every second. */
  readonly isOngoing: boolean;
  /** Address by which their client is counted: questions of one take turns with those of others. */
  readonly owner: string;
}

interface Entry {
  readonly key: string;
  readonly question: Question;
  verdict: Verdict | undefined;
  validUntilMs: number;
  /** By somebody who goes on by it. */
  lookedAtMs: number;
  /** When it is asked again, where somebody does. */
  againMs: number;
  asking: Promise<Verdict> | undefined;
  timer: Timer | undefined;
}

/** Asks, and remembers for a moment. */
export class AuthUrl {
  readonly #init: AuthUrlInit;
  readonly #closing = new AbortController();
  /** The one that was looked at last is the last. Keys hold no token, but its hash. */
  readonly #entries = new Map<string, Entry>();
  /** When each token was last good for anything, by its hash. */
  readonly #known = new Map<string, number>();
  readonly #lanes = {
    known: new Turns({ atOnce: AT_ONCE.known, maxWaiting: MAX_WAITING, what: 'questions to AUTH_URL' }),
    strangers: new Turns({
      atOnce: AT_ONCE.strangers,
      eachAtOnce: STRANGERS_OF_ONE,
      maxWaiting: MAX_WAITING,
      what: 'questions to AUTH_URL',
    }),
  };
  readonly #counts = { allowed: 0, denied: 0, unknown: 0 };
  #fault: string | undefined;

  constructor(init: AuthUrlInit) {
    this.#init = init;
    setMaxListeners(AT_ONCE.known + AT_ONCE.strangers, this.#closing.signal);
  }

  /** What became of all questions since the start. */
  get stats(): AuthUrlStats {
    const { allowed, denied, unknown: failed } = this.#counts;
    return { allowed, denied, failed, fault: this.#fault };
  }

  /** False for a token that was good for nothing lately: it may be a guess. */
  isKnown(token: string): boolean {
    return this.#init.clock.now() - (this.#known.get(digest(token)) ?? -Infinity) < KNOWN_MS;
  }

  /** Never rejects. */
  async ask(question: Question, { isOngoing, owner }: Asking): Promise<Verdict> {
    const entry = this.#entryOf(question);
    const nowMs = this.#init.clock.now();
    if (isOngoing) entry.lookedAtMs = nowMs;
    if (!entry.verdict || nowMs >= entry.validUntilMs) return (entry.asking ??= this.#ask(entry, owner));
    if (!entry.timer && !entry.asking) this.#follow(entry, owner);
    return entry.verdict;
  }

  /** Asks nothing any more. Idempotent. */
  close(): void {
    this.#closing.abort();
    for (const { timer } of this.#entries.values()) timer?.cancel();
    this.#entries.clear();
  }

  #entryOf(question: Question): Entry {
    const { action, source, user, token, ip, protocol, session } = question;
    const key = JSON.stringify([action, source, user, digest(token), ip, protocol, session]);
    const entry = this.#entries.get(key) ?? {
      key,
      question,
      verdict: undefined,
      validUntilMs: -Infinity,
      lookedAtMs: -Infinity,
      againMs: 0,
      asking: undefined,
      timer: undefined,
    };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    for (const oldest of this.#entries.values()) {
      if (this.#entries.size <= MAX_ENTRIES) break;
      this.#forget(oldest);
    }
    return entry;
  }

  #forget(entry: Entry): void {
    entry.timer?.cancel();
    this.#entries.delete(entry.key);
  }

  async #ask(entry: Entry, owner: string): Promise<Verdict> {
    const { clock } = this.#init;
    const { question } = entry;
    const isOpen = (): boolean => entry.verdict?.kind === 'allowed' && clock.now() < entry.validUntilMs;
    const timeoutMs = isOpen() ? Math.min(TIMEOUT_MS, entry.validUntilMs - clock.now()) : TIMEOUT_MS;
    let askedMs = clock.now();
    let wasAsked = false;
    const verdict = await this.#lanes[this.isKnown(question.token) ? 'known' : 'strangers']
      .run(
        async (): Promise<Verdict> => {
          const leftMs = timeoutMs - (clock.now() - askedMs);
          if (leftMs <= 0) return WAITED_TOO_LONG;
          askedMs = clock.now();
          wasAsked = true;
          return (this.#init.askServer ?? askServer)(this.#init.url, question, { clock, timeoutMs: leftMs, signal: this.#closing.signal });
        },
        undefined,
        owner,
      )
      .catch((error: unknown): Verdict => ({ kind: 'unknown', why: messageOf(error) }));
    entry.asking = undefined;
    if (this.#closing.signal.aborted) return verdict;
    this.#note(question, verdict, wasAsked);
    // What was allowed a moment ago goes on for that moment.
    if (verdict.kind === 'unknown' && entry.verdict && isOpen()) {
      entry.againMs = Math.min(clock.now() + RETRY_MS, entry.validUntilMs);
      this.#follow(entry, owner);
      return entry.verdict;
    }
    const tookMs = clock.now() - askedMs;
    entry.verdict = verdict;
    entry.validUntilMs = verdict.kind === 'unknown' ? clock.now() + FAILED_MS : askedMs + VALID_MS;
    entry.againMs = askedMs + AGAIN_MS + Math.random() * JITTER_MS - tookMs;
    this.#follow(entry, owner);
    return verdict;
  }

  /** Asks again before a yes ends, as long as somebody goes on by it. */
  #follow(entry: Entry, owner: string): void {
    const { clock, onLost } = this.#init;
    const isUsed = (): boolean => clock.now() - entry.lookedAtMs <= UNUSED_MS;
    if (entry.verdict?.kind !== 'allowed' || !isUsed()) return;
    entry.timer?.cancel();
    entry.timer = clock.after(Math.max(0, entry.againMs - clock.now()), () => {
      entry.timer = undefined;
      if (!isUsed()) return;
      entry.asking ??= this.#ask(entry, owner);
      void entry.asking.then(({ kind }) => {
        if (kind !== 'allowed') onLost();
      });
    });
  }

  /** @param wasAsked false: it waited for its turn, which is no fault of the server */
  #note({ token }: Question, verdict: Verdict, wasAsked: boolean): void {
    this.#counts[verdict.kind]++;
    if (verdict.kind === 'allowed') {
      const key = digest(token);
      this.#known.delete(key);
      this.#known.set(key, this.#init.clock.now());
      for (const oldest of this.#known.keys()) {
        if (this.#known.size <= MAX_KNOWN) break;
        this.#known.delete(oldest);
      }
    }
    if (wasAsked) this.#say(verdict.kind === 'unknown' ? verdict.why : undefined);
  }

  /** Each change once. */
  #say(fault: string | undefined): void {
    if (fault === this.#fault) return;
    const { logger } = this.#init;
    if (fault !== undefined) logger.error({ fault }, 'AUTH_URL says neither yes nor no: what it is asked for is refused');
    else logger.info({}, 'AUTH_URL answers again');
    this.#fault = fault;
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
