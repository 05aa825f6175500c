/** The whole server looks at what it recorded: a real detector sees the demo, which is found, shown and cut out again. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { bundledModel } from '../src/config.js';
import { eventually, within } from './helpers/deadline.js';
import { demoClip } from './helpers/demo-labels.js';
import { TestServer } from './helpers/server.js';

interface Result {
  readonly id: string;
  readonly type: string;
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly label: string;
  readonly recorded: boolean;
  readonly thumbnail: string | null;
  readonly clip: string | null;
}
interface Timeline {
  readonly ranges: readonly { readonly from: number; readonly to: number }[];
  readonly steps: readonly {
    readonly recorded: number;
    readonly motion: number | null;
    readonly objects: Readonly<Record<string, { readonly seen: number }>>;
  }[];
}

const LEFT = [
  [0, 0],
  [0.5, 0],
  [0.5, 1],
  [0, 1],
];
const ZONES = {
  ...{ units: 'fraction', lines: [{ id: 'middle', from: [0.5, 1], to: [0.5, 0] }] },
  zones: [{ id: 'left', polygon: LEFT }],
};

describe('what was recorded, looked at', { timeout: 240_000 }, () => {
  let server: TestServer;
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-looking-'));
  const [state, videos, recordings] = ['state', 'videos', 'recordings'].map((name) => path.join(folder, name)) as [string, string, string];
  const start = (): Promise<TestServer> =>
    TestServer.start([], {
      ...{ MODEL: bundledModel, UPLOAD_DIR: videos, STATE_DIR: state, RECORD_DIR: recordings, RECORD: 'demo,yard', RECORD_MIN_FREE: '0' },
    });
  const search = async (query: string): Promise<readonly Result[]> => {
    const { results, ...rest } = await server.get<{ results?: Result[] }>(`/search?${query}`);
    return results ?? assert.fail(JSON.stringify(rest));
  };
  const found = (query: string): Promise<Result> =>
    eventually(async () => (await search(query)).find(({ recorded }) => recorded), 10_000, `something for ${query}`);
  /** Something of that type has happened since. */
  const happens = async (type: string): Promise<void> => {
    const leaving = new AbortController();
    const stream = await fetch(`${server.url}/events/stream?source=demo&type=${type}`, { signal: leaving.signal });
    const decoder = new TextDecoder();
    const reader = stream.body?.getReader() ?? assert.fail();
    const told = async (): Promise<void> => {
      for (let text = ''; !text.includes(`event: ${type}`);)
        text += decoder.decode((await reader.read()).value as Uint8Array | undefined, { stream: true });
    };
    await within(told(), 90_000, `an event ${type}`);
    leaving.abort();
  };

  before(async () => {
    execFileSync('mkdir', ['-p', videos]);
    copyFileSync(demoClip, path.join(videos, 'demo.mp4'));
    copyFileSync(demoClip, path.join(videos, 'yard.mp4'));
    writeFileSync(path.join(videos, 'demo.zones.json'), JSON.stringify(ZONES));
    server = await start();
  });
  after(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it('is found by line and zone while it is being recorded, with a picture and a clip of it', async () => {
    await Promise.all([happens('cross'), happens('leave')]);
    const crossing = await found('line=middle&source=demo&limit=100');
    assert.equal(crossing.type, 'crossing');
    assert.ok(Math.abs(Date.now() / 1000 - crossing.at) < 120);
    assert.ok(crossing.from <= crossing.at && crossing.at <= crossing.to + 1, JSON.stringify(crossing));
    assert.equal((await found('zone=left&min_duration=0.2&order=asc')).type, 'stay');
    assert.deepEqual(await search(`line=middle&label=${crossing.label}&to=${crossing.at - 3600}`), []);

    const picture = await fetch(server.url + (crossing.thumbnail ?? ''));
    assert.equal(picture.status, 200);
    const shownAt = Number(picture.headers.get('thumbnail-at'));
    assert.ok(shownAt <= crossing.at && crossing.at - shownAt < 10, `of ${crossing.at}, shown is ${shownAt}`);
    const { width, height } = await sharp(Buffer.from(await picture.arrayBuffer())).metadata();
    assert.deepEqual([width, height], [320, 180]);

    for (const query of ['', '&exact=1', '&annotated=1']) {
      const from = crossing.at - 1;
      const clip = await fetch(`${server.url}/recordings/demo/clip.mp4?from=${from}&to=${from + 2}${query}`);
      assert.equal(clip.status, 200, await (clip.ok ? '' : clip.text()));
      assert.match(clip.headers.get('content-disposition') ?? '', /demo_20\d\d-.*\.mp4/);
      const file = path.join(folder, 'clip.mp4');
      writeFileSync(file, Buffer.from(await clip.arrayBuffer()));
      const args = ['-v', 'error', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0', file];
      assert.match(execFileSync('ffprobe', args, { encoding: 'utf8' }), /^h264\n(aac\n)?$/);
    }
  });

  it('shows on the timeline when how much was seen', async () => {
    const to = Date.now() / 1000;
    const { ranges, steps } = await server.get<Timeline>(`/recordings/demo/timeline?from=${to - 60}&to=${to}&step=10`);
    assert.equal(steps.length, 6);
    assert.ok(ranges.length > 0 && steps.some(({ recorded }) => recorded > 0));
    const seen = steps.flatMap(({ objects }) => Object.values(objects));
    assert.ok(
      seen.some((each) => each.seen > 0),
      JSON.stringify(steps),
    );
  });

  it('tells what moved where no detector looks, too', async () => {
    await eventually(
      async () => (await server.get<Partial<Timeline>>('/recordings/yard/timeline')).ranges?.some(({ from, to }) => to - from > 3),
      30_000,
      'seconds of the yard',
    );
    const off = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{"mode":"off"}' };
    assert.equal((await fetch(`${server.url}/sources/yard/recording`, off)).status, 200);
    const steps = await eventually(
      async () => {
        const { steps: all } = await server.get<Timeline>('/recordings/yard/timeline?step=60');
        return all.some(({ motion }) => motion !== null) ? all : undefined;
      },
      10_000,
      'motion',
    );
    assert.deepEqual(
      steps.flatMap(({ objects }) => Object.keys(objects)),
      [],
    );
    const known = steps.flatMap(({ motion, recorded }) => (motion === null ? [] : [{ motion, recorded }]));
    assert.ok(known.every(({ motion }) => motion >= 0 && motion <= 1) && known.some(({ recorded }) => recorded > 0), JSON.stringify(known));
  });

  it('is found again after a restart without the index, and after what was recorded is gone not any more', async () => {
    await server.close();
    for (const name of readdirSync(state)) if (name.startsWith('events.db')) rmSync(path.join(state, name));
    const restartedAt = Date.now() / 1000;
    server = await start();
    const { id } = await found(`line=middle&to=${restartedAt}`);
    assert.ok(id);
    await fetch(`${server.url}/sources/demo/recording`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ mode: 'off' }),
    });
    await eventually(
      async () => {
        const response = await fetch(`${server.url}/recordings/demo?from=0&to=${Date.now() / 1000 + 60}`, { method: 'DELETE' });
        await response.text();
        return response.status === 200 || response.status === 404;
      },
      30_000,
      'the end of the recording',
    );
    await eventually(async () => (await search(`to=${restartedAt}`)).length === 0, 10_000, 'the end of what was seen');
  });
});
