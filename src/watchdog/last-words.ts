/** The one line a process leaves that is ended. The log cannot be used: it is written by the thread that hangs. */
import { write } from 'node:fs';
import { delay, type Clock } from '../base/clock.js';
import type { MainStack } from './main-stack.js';

const FATAL = 60;
const STDERR = 2;

/** Why a process was ended. */
export interface LastWords {
  /** For how long the main thread gave no beat, in milliseconds. */
  readonly silentMs: number;
  /** What the main thread was doing. */
  readonly found: MainStack;
  /** Processes that are ended, too. */
  readonly children: readonly number[];
}

/** As pino writes it, or for a person. */
export function lastWords({ silentMs, found, children }: LastWords, isJson: boolean): string {
  const stack = found.where === 'javascript' ? found.stack : 'none: it is inside a native call, where JavaScript has no stack';
  const message = 'the event loop hangs (WATCHDOG_S); the process is ended, to be restarted';
  if (isJson) return `${JSON.stringify({ level: FATAL, time: Date.now(), silentMs, stack, children, msg: message })}\n`;
  return `Sightline: ${message}. It did not respond for ${silentMs} ms. Its stack:\n${stack.replace(/^/gm, '    ')}\n`;
}

/** Writes to standard error, and waits for `deadlineMs` at most: a pipe that nobody reads may be what the main thread hangs on. Never rejects. */
export async function writeLastWords(clock: Clock, text: string, deadlineMs: number): Promise<void> {
  const written = new AbortController();
  // Where it cannot be written, there is nobody else to tell.
  write(STDERR, text, () => written.abort());
  await delay(clock, deadlineMs, written.signal);
}
