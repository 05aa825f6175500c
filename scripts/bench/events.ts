/** What events cost whoever adds them, and how soon they are found among ten thousand: by source and hour, and the newest page. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/logger.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { EventStore, type EventQuery } from '../../src/store/index.js';
import type { Row } from './bench.js';

const EVENTS = 10_000;
/** At once: no more may wait for the disk. */
const BURST = 5_000;
const SOURCES = 10;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const RUNS = 50;

export async function run(): Promise<Row[]> {
  const stateDir = await mkdtemp(path.join(os.tmpdir(), 'sightline-bench-events-'));
  const ledger = new ResourceLedger();
  const clock = systemClock(ledger);
  const retention = { maxAgeMs: Infinity, maxBytes: Infinity };
  const events = await EventStore.open({ stateDir, isChosen: true, retention, clock, logger: silentLogger, ledger });
  try {
    const startMs = clock.wallClock() - DAY_MS;
    const begunMs = performance.now();
    let waitedMs = 0;
    for (let i = 0; i < EVENTS; i++) {
      if (i % BURST === 0) waitedMs += await timed(() => events.sources());
      const data = { line: 'road', direction: 'in', object_id: i, label: 'car', class_id: 2, score: 0.9, position: [512.5, 640], frame: i };
      events.add({ type: 'cross', sourceId: `camera-${i % SOURCES}`, atMs: Math.round(startMs + (i * DAY_MS) / EVENTS), data });
    }
    const addedMs = performance.now() - begunMs - waitedMs;
    await events.sources();
    const writtenMs = performance.now() - begunMs;
    const hour: EventQuery = { sourceIds: ['camera-3'], fromMs: startMs + 5 * HOUR_MS, toMs: startMs + 6 * HOUR_MS, limit: 1000 };
    return [
      { figure: 'adding an event, on the thread that adds', value: (1000 * addedMs) / EVENTS, unit: 'µs' },
      { figure: `until ${EVENTS} events are written`, value: writtenMs, unit: 'ms' },
      { figure: 'query by source and hour, median', value: await median(events, hour), unit: 'ms', limit: 10 },
      {
        figure: 'newest 100 of a source, median',
        value: await median(events, { sourceIds: ['camera-3'], isDescending: true, limit: 100 }),
        unit: 'ms',
        limit: 10,
      },
    ];
  } finally {
    await events.close();
    await rm(stateDir, { recursive: true });
  }
}

async function median(events: EventStore, query: EventQuery): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    times.push(await timed(() => events.query(query)));
  }
  return times.sort((a, b) => a - b)[RUNS >> 1] ?? NaN;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}
