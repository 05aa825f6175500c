/** A publisher over a store of its own, without sources: what the broker gets of what happens. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '../../src/base/clock.js';
import { silentLogger, type Logger } from '../../src/base/logger.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { MqttPublisher } from '../../src/mqtt/index.js';
import { EventStore, type EventRetention } from '../../src/store/index.js';

type Init = Parameters<typeof MqttPublisher.open>[0];

/** What the tests of a publisher need. */
export interface Rig {
  readonly events: EventStore;
  readonly publisher: MqttPublisher;
  readonly ledger: ResourceLedger;
  /** Ends both, as a server does. */
  readonly close: () => Promise<void>;
}

export interface RigInit extends Partial<Init> {
  readonly url: string;
  readonly retention?: Partial<EventRetention>;
}

/** A folder for a store; removed after the test. */
export function stateFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-mqtt-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Opens a publisher; ended after the test. */
export async function openRig(t: TestContext, stateDir: string, { retention, ...init }: RigInit): Promise<Rig> {
  const ledger = new ResourceLedger();
  const clock = systemClock(ledger);
  const logger = init.logger ?? silentLogger;
  const events = await EventStore.open({
    stateDir,
    isChosen: true,
    retention: { maxAgeMs: Infinity, maxBytes: Infinity, ...retention },
    clock,
    logger,
    ledger,
  });
  const publisher = await MqttPublisher.open({
    ca: undefined,
    prefix: 'sightline',
    discoveryPrefix: undefined,
    detections: [],
    sources: () => [],
    counts: () => undefined,
    version: '1.2.3',
    backoff: { firstMs: 20, maxMs: 100 },
    ...init,
    events,
    clock,
    ledger,
    logger,
  });
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await publisher.close();
    await events.close();
  };
  t.after(close);
  return { events, publisher, ledger, close };
}

/** Adds events that can be told apart: `n` ascends in each source. */
export class Happenings {
  readonly added: { readonly source: string | null; readonly n: number; readonly id: string }[] = [];
  readonly #counts = new Map<string | undefined, number>();

  add(events: EventStore, sourceId: string | undefined): void {
    const n = (this.#counts.get(sourceId) ?? 0) + 1;
    this.#counts.set(sourceId, n);
    const { id } = events.add({ type: 'enter', sourceId, atMs: Date.now(), data: { zone: 'gate', n } });
    this.added.push({ source: sourceId ?? null, n, id: String(id) });
  }
}

/** What was logged. */
export class Logged implements Logger {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
  readonly debug = this.#take('debug');
  readonly info = this.#take('info');
  readonly warn = this.#take('warn');
  readonly error = this.#take('error');

  child(): Logger {
    return this;
  }

  /** Those of a level. */
  of(level: string): string[] {
    return this.lines
      .filter((line) => line.level === level)
      .map(({ message, fields }) => `${message}: ${typeof fields.reason === 'string' ? fields.reason : ''}`);
  }

  #take(level: string): (fields: object, message: string) => void {
    return (fields, message) => void this.lines.push({ level, message, fields: fields as Readonly<Record<string, unknown>> });
  }
}
