/** The thread that watches. Nothing here may need the main thread, and nothing may keep it from its end: to end the process. */
import { parentPort, workerData } from 'node:worker_threads';
import { delay, systemClock } from '../base/clock.js';
import { ResourceLedger } from '../base/resources.js';
import { descendants } from './descendants.js';
import { lastWords, writeLastWords } from './last-words.js';
import { MainThread, type MainStack } from './main-stack.js';
import { BEATS, BEAT_MS, IS_READY, Silence, START_FACTOR, type Recovered, type WatchInit } from './watch.js';

/** The inspector answers within some milliseconds; a busy machine may take longer. */
const STACK_DEADLINE_MS = 1000;
const WRITE_DEADLINE_MS = 1000;

const { state, children, limitMs, isJson } = workerData as WatchInit;
const clock = systemClock(new ResourceLedger());
const mainThread = new MainThread(clock);

async function watch(): Promise<void> {
  const silence = new Silence(Atomics.load(state, BEATS), clock.now());
  for (;;) {
    await delay(clock, BEAT_MS);
    const beats = Atomics.load(state, BEATS);
    const silentMs = silence.tick(beats, clock.now());
    if (silentMs < limitMs * (Atomics.load(state, IS_READY) === 1 ? 1 : START_FACTOR)) continue;
    const found = await mainThread.where(STACK_DEADLINE_MS);
    silence.reset();
    // What a debugger holds may go on tomorrow.
    if (found.where !== 'held' && Atomics.load(state, BEATS) === beats) return end(silentMs, found);
    mainThread.release();
    if (found.where !== 'held')
      parentPort?.postMessage({ silentMs, stack: found.where === 'javascript' ? found.stack : 'inside a native call' } satisfies Recovered);
  }
}

async function end(silentMs: number, found: MainStack): Promise<void> {
  const alive = new Set([...children.filter((pid) => pid !== 0), ...descendants(process.pid)]);
  await writeLastWords(clock, lastWords({ silentMs, found, children: [...alive] }, isJson), WRITE_DEADLINE_MS);
  for (const pid of alive) kill(pid);
  // `process.exit` would end this thread alone.
  process.kill(process.pid, 'SIGKILL');
}

/** One that has ended by itself, or may not be ended, does not keep the others. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}

await watch();
