/** The store as the server has it, with its thread. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MediaPeerError } from '../../src/base/errors.js';
import { systemClock } from '../../src/base/clock.js';
import type { Logger } from '../../src/base/logger.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { EventStore, type EventFacts, type StoredEvent } from '../../src/store/index.js';
import { within } from '../helpers/deadline.js';

let folder: string;
const stores: EventStore[] = [];
const said: string[] = [];
const ledger = new ResourceLedger();
const say = (_fields: unknown, message?: string): void => void said.push(String(message));
const logger: Logger = { debug: say, info: say, warn: say, error: say, child: () => logger };
const clock = systemClock(ledger);
const FACTS: EventFacts = { type: 'cross', sourceId: 'demo', atMs: 1_795_000_000_000, data: { line: 'road', direction: 'in' } };

async function open(stateDir = folder, isChosen = true): Promise<EventStore> {
  const retention = { maxAgeMs: Infinity, maxBytes: Infinity };
  const store = await EventStore.open({ stateDir, isChosen, retention, clock, logger, ledger });
  stores.push(store);
  return store;
}

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-events-'));
  said.length = 0;
});

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  assert.equal(ledger.snapshot().workers, 0, 'no thread is left');
  rmSync(folder, { recursive: true, force: true });
});

describe('the store of events', () => {
  it('gives each event an id above all before it, also after a restart and of one that is begun anew', async () => {
    const first = await open();
    const added = [first.add(FACTS), first.add(FACTS), first.add({ ...FACTS, sourceId: undefined })];
    await first.close();
    const second = await open();
    added.push(second.add(FACTS));
    assert.deepEqual(await second.query({ limit: 10 }), added);
    await second.close();
    for (const name of readdirSync(folder)) writeFileSync(path.join(folder, name), 'damaged '.repeat(1000));
    const third = await open();
    added.push(third.add(FACTS));
    assert.deepEqual(await third.query({ limit: 10 }), added.slice(-1));
    assert.ok(added.every(({ id }, i) => id > (added[i - 1]?.id ?? 0)));
    assert.match(said.join(), /set aside/);
  });

  it('finds events by label, zone and line, those that are written and those that wait', async () => {
    const store = await open();
    const add = (data: EventFacts['data']): StoredEvent => store.add({ ...FACTS, data });
    const [car, person, stay] = [
      add({ line: 'road', label: 'car' }),
      add({ line: 'road', label: 'person' }),
      add({ zone: "o'clock %", label: 'car' }),
    ];
    for (const when of ['waiting', 'written']) {
      assert.deepEqual(await store.query({ labels: ['car'], limit: 9 }), [car, stay], when);
      assert.deepEqual(await store.query({ labels: ['car', 'person'], lines: ['road'], limit: 9, isDescending: true }), [person, car]);
      assert.deepEqual(await store.query({ zones: ["o'clock %"], limit: 9 }), [stay]);
      assert.deepEqual(await store.query({ zones: ['road'], limit: 9 }), []);
      assert.deepEqual(await store.query({ labels: [], limit: 9 }), []);
      await new Promise<void>((resolve) => void clock.after(250, resolve));
    }
  });

  it('tells an event to those who listen at once, in order', async () => {
    const store = await open();
    const heard: StoredEvent[] = [];
    const stop = store.onAdded((event) => heard.push(event));
    const [one, two] = [store.add(FACTS), store.add(FACTS)];
    stop();
    store.add(FACTS);
    assert.deepEqual(heard, [one, two]);
  });

  it('keeps one still for all that happens in a moment, waits for it where it is asked for or the store is closed, and loses it with its event', async () => {
    const store = await open();
    const heard: StoredEvent[] = [];
    store.onAdded((event) => heard.push(event));
    let finish = (_jpeg: Uint8Array): void => undefined;
    store.add(FACTS);
    store.addMoment([FACTS, FACTS], new Promise((resolve) => (finish = resolve)));
    store.addMoment([FACTS], Promise.resolve(undefined));
    store.addMoment([FACTS], undefined);
    const [none, first, second, failed, never] = heard;
    assert.deepEqual(
      heard.map(({ stillId }) => stillId),
      [undefined, first?.id, first?.id, failed?.id, undefined],
    );
    const asked = Promise.all([none, first, second, failed, never].map((event) => store.still(event?.id ?? 0)));
    const jpeg = new Uint8Array([0xff, 0xd8]);
    finish(jpeg);
    const kept = { sourceId: 'demo', jpeg };
    assert.deepEqual(await asked, [undefined, kept, kept, undefined, undefined]);
    store.addMoment([FACTS], new Promise((resolve) => setImmediate(resolve, jpeg)));
    await store.close();
    assert.deepEqual(await (await open()).still(heard.at(-1)?.id ?? 0), kept);
  });

  it('refuses a folder that somebody chose and that cannot be used, and says what to do', async () => {
    writeFileSync(path.join(folder, 'file'), '');
    await assert.rejects(
      open(path.join(folder, 'file')),
      (error) => error instanceof MediaPeerError && error.code === 'CONFIG_INVALID' && /^STATE_DIR: .*name a folder/.test(error.message),
    );
  });

  it('keeps events in memory where the folder that nobody chose cannot be used, and says so', async () => {
    writeFileSync(path.join(folder, 'file'), '');
    const store = await open(path.join(folder, 'file'), false);
    const event = store.add(FACTS);
    assert.deepEqual(await store.query({ limit: 10 }), [event]);
    assert.match(said.join(), /STATE_DIR: .* in memory/);
  });

  it('lets nobody else into its folder while it is open', async () => {
    const store = await open();
    await assert.rejects(open(), /in use by another server; give each one a folder of its own/);
    await store.close();
    await open();
  });

  it('has whatever was kept more than 200 ms before the process was killed, whole', async () => {
    const child = fork(fileURLToPath(new URL('./writing-child.js', import.meta.url)), [folder], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const exited = once(child, 'exit');
    const told: { readonly id: number; readonly atMs: number }[] = [];
    const many = new Promise<void>((resolve) => {
      child.on('message', (event: { id: number; atMs: number }) => {
        told.push(event);
        if (told.length === 3000) resolve();
      });
    });
    await within(many, 60_000, 'three thousand events');
    child.kill('SIGKILL');
    await exited;
    const lastAtMs = told.at(-1)?.atMs ?? 0;
    const kept = await (await open()).query({ limit: 100_000 });
    const ids = new Set(kept.map(({ id }) => id));
    assert.deepEqual(
      told.filter(({ id, atMs }) => atMs < lastAtMs - 200 && !ids.has(id)),
      [],
    );
    assert.ok(kept.length > 100, `${kept.length} of ${told.length} are there`);
    assert.deepEqual(said, [], 'nothing was damaged');
  });
});
