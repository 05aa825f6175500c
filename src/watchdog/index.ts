/**
 * Ends a process whose main thread hangs, so that whoever keeps the server running (systemd, compose, Kubernetes) starts it
 * again. The watch is kept by a thread of its own: a hung thread cannot notice itself. It knows no room, only a beat that
 * the main thread gives and the processes that have to end with it.
 */
import { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { BEATS, BEAT_MS, IS_READY, type Recovered, type WatchInit } from './watch.js';

/** What the watch needs to know of the process. */
export interface WatchdogOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long the main thread may be silent, in milliseconds. Until `ready()` it may be six times as long. */
  readonly limitMs: number;
  /** Process ids of children that must not outlive this process; 0 is none. Written by their owner, on a SharedArrayBuffer. */
  readonly children: Int32Array;
  /** The last line is a line of JSON as the log's, for programs that read it; else it is for a person. */
  readonly isJson: boolean;
}

/** The watch over the main thread. */
export interface Watchdog {
  /** The start, whose steps may be long, is over. */
  ready(): void;
  /** Ends the watch. Resolves once its thread is gone. */
  close(): Promise<void>;
}

/** Begins to watch. */
export function startWatchdog({ clock, logger, limitMs, children, isJson }: WatchdogOptions): Watchdog {
  const state = new Int32Array(new SharedArrayBuffer(8));
  const beating = clock.every(BEAT_MS, () => void Atomics.add(state, BEATS, 1));
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: { state, children, limitMs, isJson } satisfies WatchInit,
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 },
  });
  worker.unref();
  let isOver = false;
  worker.on('message', ({ silentMs, stack }: Recovered) => logger.warn({ silentMs, stack }, 'the event loop hung, and has recovered'));
  worker.on('error', (error) => logger.error({ err: error }, 'the watchdog has ended; hangs are no longer detected'));
  const close = async (timer: Timer): Promise<void> => {
    if (isOver) return;
    isOver = true;
    timer.cancel();
    await worker.terminate();
  };
  return { ready: () => void Atomics.store(state, IS_READY, 1), close: () => close(beating) };
}
