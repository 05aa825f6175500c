/** A crowd of requests for sources that are not running, and somebody who watches meanwhile: the whole server with real ffmpeg. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from './helpers/deadline.js';
import { TestServer } from './helpers/server.js';

describe('requests for sources that are not running', () => {
  let server: TestServer;
  const names = Array.from({ length: 8 }, (_, i) => `clip${i}`);

  before(async () => {
    server = await TestServer.start([...names.map((name) => ['copyable.mp4', `${name}.mp4`] as const), ['grey.mp4', 'watched.mp4']], {
      MODEL: 'models/sightline-demo.json',
      MAX_RUNNING_SOURCES: '3',
      IDLE_GRACE: '60000',
    });
  });
  after(() => server.close());

  it('are answered in turn, without a crowd of processes and without anybody who is refused', async () => {
    const viewer = await server.join({ source: 'watched', tracks: ['raw'] });
    const more = (what: string): Promise<void> => {
      const before = viewer.packets.length;
      return viewer.until(() => viewer.packets.length >= before + 20, 15_000, what);
    };
    await more('packets before');
    let most = 0;
    const ended = new AbortController();
    const looks = Promise.all(
      names.map(async (name) => ({ name, status: (await fetch(`${server.url}/detections/${name}/latest`)).status })),
    ).finally(() => ended.abort());
    await eventually(
      () => {
        most = Math.max(most, server.resources.child_processes);
        return ended.signal.aborted;
      },
      60_000,
      'all answers',
    );
    assert.deepEqual(
      (await looks).filter(({ status }) => status !== 200),
      [],
    );
    // One that is watched and two that are looked at, each a reader and a decoder; and those that are just ending.
    assert.ok(most <= 9, `${most} processes`);
    const { sources } = await server.get<{ sources: { source: string }[] }>('/active-streams');
    assert.ok(
      sources.length <= 3 && sources.some(({ source }) => source === 'watched'),
      JSON.stringify(sources.map(({ source }) => source)),
    );
    await more('packets afterwards');
    await server.leave(viewer);
  });

  it('are refused in words where all places are taken by those who watch', async () => {
    const viewers = [];
    for (const source of names.slice(0, 3)) viewers.push(await server.join({ source, tracks: ['raw'] }));
    for (const address of ['/detections/clip5/latest', '/detections/clip5', '/snapshot/clip5.jpg?annotated=1']) {
      const response = await fetch(server.url + address);
      const { code, message } = (await response.json()) as { code: string; message: string };
      assert.deepEqual([response.status, code, response.headers.has('retry-after')], [503, 'CAPACITY_REACHED', true], address);
      assert.match(message, /MAX_RUNNING_SOURCES/);
    }
    await assert.rejects(server.join({ source: 'clip5', tracks: ['raw'] }), /MAX_RUNNING_SOURCES/);
    assert.equal((await fetch(`${server.url}/detections/clip0/latest`)).status, 200, 'what runs can be read');
    await server.leave(...viewers);
  });
});
