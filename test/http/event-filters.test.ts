/** What of the events a client asks for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EventQuery, StoredEvent } from '../../src/store/index.js';
import { testApp } from '../helpers/app.js';
import { eventAt } from '../store/events-rig.js';

describe('filters of events', () => {
  it('are labels, zones and lines, separated by commas, of the list and of the stream', async (t) => {
    const asked: EventQuery[] = [];
    const listeners: ((event: StoredEvent) => void)[] = [];
    const app = await testApp({
      events: {
        query: (query) => {
          asked.push(query);
          return Promise.resolve([]);
        },
        onAdded: (listener) => {
          listeners.push(listener);
          return () => undefined;
        },
      },
    });
    t.after(() => app.close());
    const answer = await app.inject('/events?label=car,%20truck&zone=gate&line=A,B');
    assert.equal(answer.statusCode, 200);
    const { labels, zones, lines } = asked[0]!;
    assert.deepEqual({ labels, zones, lines }, { labels: ['car', 'truck'], zones: ['gate'], lines: ['A', 'B'] });

    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    const given = new AbortController();
    const stream = await fetch(`${address}/events/stream?label=car&zone=gate`, { signal: given.signal });
    for (const [id, data] of [
      [1, { zone: 'gate', label: 'person' }],
      [2, { zone: 'yard', label: 'car' }],
      [3, { zone: 'gate', label: 'car' }],
    ] as const)
      listeners.forEach((listener) => listener(eventAt(id, { data })));
    let text = '';
    for await (const chunk of stream.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes('id: 3')) break;
    }
    given.abort();
    assert.deepEqual(
      [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => id),
      ['3'],
    );
  });
});
