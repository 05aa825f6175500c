/** Events on their way out of a store whose disk is full, and to a broker that is told by the test what it takes. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { whenAborted } from '../../src/base/abort.js';
import { silentLogger } from '../../src/base/logger.js';
import { Listeners } from '../../src/base/listeners.js';
import { EventOutbox, READER, type EventOutboxInit } from '../../src/mqtt/event-outbox.js';
import { Topics } from '../../src/mqtt/topics.js';
import { BrokerError } from '../../src/mqtt/trouble.js';
import type { ReadPositions, StoredEvent } from '../../src/store/event.js';
import type { Answers, Question, StoreReply } from '../../src/store/store-messages.js';
import { openStoreFile } from '../../src/store/store-file.js';
import { StoreKeeper } from '../../src/store/store-keeper.js';
import { eventually, within } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { eventAt } from '../store/events-rig.js';
import { stateFolder } from './mqtt-rig.js';

/** The store of a server in this thread. */
class Store {
  readonly clock = new FakeClock();
  readonly told: StoreReply[] = [];
  readonly #added = new Listeners<StoredEvent>(silentLogger, 'events');
  readonly #keeper: StoreKeeper;
  lastId = 0;
  /** So many pages the file may have. */
  limit: (pages: number) => void = () => undefined;
  /** Called when a source has come to somewhere. */
  onPosition: (sourceId: string | undefined) => unknown = () => undefined;
  #isClosed = false;

  constructor(folder: string) {
    this.#keeper = new StoreKeeper({
      open: (damage) => {
        const file = openStoreFile(folder, damage);
        this.limit = (pages) => file.database.exec(`PRAGMA max_page_count = ${pages}`);
        return file;
      },
      retention: { maxAgeMs: Infinity, maxBytes: Infinity },
      clock: this.clock,
      tell: (reply) => {
        this.told.push(reply);
        if (reply.kind === 'ready') this.lastId = reply.lastId;
      },
    });
  }

  add(sourceId: string | undefined): number {
    const event = eventAt(++this.lastId, { sourceId });
    this.#keeper.write({ kind: 'event', event });
    this.#added.tell(event);
    return event.id;
  }

  get events(): EventOutboxInit['events'] {
    const ask = <K extends Question['kind']>(question: Extract<Question, { readonly kind: K }>): Promise<Answers[K]> =>
      new Promise((resolve) => resolve(this.#keeper.ask(question) as Answers[K]));
    const newest = (): number => this.lastId;
    return {
      get lastId() {
        return newest();
      },
      query: (query) => ask<'events'>({ kind: 'events', query }),
      sources: () => ask<'sources'>({ kind: 'sources' }),
      countAfter: (sourceId, afterId) => ask<'count-after'>({ kind: 'count-after', sourceId, afterId }),
      positions: (reader) => ask<'positions'>({ kind: 'positions', reader }),
      keepPosition: (reader, of, lastId) => {
        this.#keeper.write({ kind: 'position', reader, of, lastId });
        if (of !== 'others') this.onPosition(of.sourceId);
      },
      forgetReader: (reader) => this.#keeper.write({ kind: 'reader-gone', reader }),
      onAdded: (listener) => this.#added.add(listener),
    };
  }

  positions(): ReadPositions {
    return this.#keeper.ask({ kind: 'positions', reader: READER }) as ReadPositions;
  }

  close(): void {
    if (!this.#isClosed) this.#keeper.close();
    this.#isClosed = true;
  }
}

interface Rig {
  readonly store: Store;
  readonly outbox: EventOutbox;
  /** Ids of events, as the broker took them. */
  readonly taken: number[];
}

async function rig(t: TestContext, folder: string, publish: EventOutboxInit['link']['publish'] = () => Promise.resolve()): Promise<Rig> {
  const store = new Store(folder);
  const taken: number[] = [];
  const outbox = await EventOutbox.open({
    events: store.events,
    link: {
      publish: async (message) => {
        await publish(message);
        taken.push(Number((JSON.parse(String(message.payload)) as { readonly id: string }).id));
      },
      whenConnected: (signal) => new Promise((resolve) => whenAborted(signal, resolve)),
    },
    topics: new Topics('sightline'),
    clock: store.clock,
    logger: silentLogger,
  });
  t.after(async () => {
    await outbox.close();
    store.close();
  });
  return { store, outbox, taken };
}

describe('events on their way to the broker', { timeout: 30_000 }, () => {
  it('are published while the disk is full, and none is passed over', async (t) => {
    const folder = stateFolder(t);
    const { store, outbox, taken } = await rig(t, folder);
    const ids = [store.add('street')];
    await eventually(() => taken.length === 1, 5000, 'the first');
    await store.clock.advance(200);
    store.limit(1);
    for (let i = 0; i < 500; i++) ids.push(store.add(['street', 'new', undefined][i % 3]));
    await store.clock.advance(200);
    assert.equal(store.told.at(-1)?.kind, 'trouble');
    await eventually(() => taken.length === ids.length, 5000, 'all to be taken');
    for (const from of [1, 2, 3]) {
      const lane = ids.filter((_, i) => i >= from && i % 3 === from % 3);
      assert.deepEqual(
        taken.filter((id) => lane.includes(id)),
        lane,
      );
    }
    assert.equal(outbox.queued, 0);
    store.limit(100_000);
    await store.clock.advance(1000);
    await outbox.close();
    const { bySource } = store.positions();
    assert.deepEqual([bySource.get(undefined), bySource.get('street'), bySource.get('new')], ids.slice(-3));
  });

  it('do not keep the server from ending while the broker acknowledges nothing, and are published after the next start', async (t) => {
    const folder = stateFolder(t);
    let isUnderWay = false;
    const { store, outbox } = await rig(t, folder, () => {
      isUnderWay = true;
      return new Promise(() => undefined);
    });
    const id = store.add('street');
    await eventually(() => isUnderWay, 5000, 'the event to be under way');
    await within(outbox.close(), 5000, 'the end');
    store.close();
    const next = await rig(t, folder);
    await eventually(() => next.taken.length === 1, 5000, 'the event');
    assert.deepEqual(next.taken, [id]);
  });

  it('that wait at the end are not passed over by the last one that is taken, however many sources there are', async (t) => {
    const folder = stateFolder(t);
    let acknowledge = (): void => undefined;
    const { store, outbox, taken } = await rig(t, folder, ({ topic }) => {
      if (topic.includes('/away/')) return Promise.reject(new BrokerError('lost', 'it is away'));
      return topic.includes('/last/') ? new Promise((resolve) => (acknowledge = resolve)) : Promise.resolve();
    });
    // More than have positions of their own once nothing waits.
    store.add('last');
    const waiting = store.add('away');
    for (let i = 0; i < 1000; i++) store.add(`room-${i}`);
    await eventually(() => taken.length === 1000, 20_000, 'the others');
    // What is away is given up before the other one has noticed that it is done.
    const closed = new Promise<void>((resolve) => (store.onPosition = (of) => of === 'last' && resolve(outbox.close())));
    acknowledge();
    await closed;
    store.close();
    const next = await rig(t, folder);
    await eventually(() => next.taken.includes(waiting), 5000, 'what waited');
  });
});
