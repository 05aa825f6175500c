/** Cameras that are added, described otherwise and removed while somebody watches. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { PullSources } from '../../../src/source/pull/pull.js';
import { parseSources } from '../../../src/source/pull/sources-file.js';
import type { PullInput } from '../../../src/source/pull/read-entry.js';
import type { FeedEnd, SourceFeed } from '../../../src/source/index.js';
import { HttpCamera, type StreamName } from '../../helpers/cameras.js';
import { eventually, within } from '../../helpers/deadline.js';
import { assertNothingHeld, realDeps } from '../../helpers/ffmpeg-deps.js';

const cameras: HttpCamera[] = [];
after(() => Promise.all(cameras.map((camera) => camera.switchOff().catch(() => undefined))));

async function camera(stream: StreamName): Promise<HttpCamera> {
  const started = await HttpCamera.start(stream);
  cameras.push(started);
  return started;
}

const read = (...entries: readonly object[]): PullInput[] => parseSources(JSON.stringify({ sources: entries }), { variables: {} });

class Rig {
  readonly deps = realDeps();
  readonly pulls: PullSources;
  readonly changes: string[] = [];
  readonly video: number[] = [];
  readonly waiting: boolean[] = [];

  constructor(...entries: readonly object[]) {
    this.pulls = new PullSources({ ...this.deps, entries: read(...entries), caption: () => Promise.resolve() });
    this.pulls.onChange(({ kind, id }) => this.changes.push(`${kind} ${id}`));
  }

  set(...entries: readonly object[]): void {
    this.pulls.set(read(...entries));
  }

  async watch(before?: SourceFeed): Promise<SourceFeed> {
    await this.pulls.prepare('cam');
    const source = this.pulls.get('cam');
    assert.ok(source);
    return source.open(
      {
        encodedVideo: ({ mediaTimeMs }) => this.video.push(mediaTimeMs),
        picture: ({ mediaTimeMs }) => this.video.push(mediaTimeMs),
        audio: () => undefined,
        waiting: (isWaiting) => this.waiting.push(isWaiting),
      },
      { ...this.deps, ...(before && { timeline: before.timeline }), backoff: { firstMs: 100, maxMs: 200 } },
    );
  }

  async frames(count: number): Promise<void> {
    const from = this.video.length;
    await eventually(() => this.video.length >= from + count, 15_000, `${count} frames`);
  }

  async end(...feeds: readonly SourceFeed[]): Promise<void> {
    await Promise.all(feeds.map((feed) => feed.close()));
    await this.pulls.close();
    assertNothingHeld(this.deps);
    for (const [i, time] of this.video.entries()) assert.ok(i === 0 || time > this.video[i - 1]!, 'media time ascends');
  }
}

const ended = (feed: SourceFeed): Promise<FeedEnd> => within(feed.closed, 15_000, 'the end of the feed');

describe('a camera that is described otherwise', () => {
  it('notices nothing of a title, a group, of being always on, and of the same description', async () => {
    const { url } = await camera('flv');
    const rig = new Rig({ name: 'cam', url });
    const feed = await rig.watch();
    await rig.frames(10);
    const calls = cameras.at(-1)!.calls;
    const other = { name: 'other', url: 'rtsp://127.0.0.1:1/' };
    rig.set({ name: 'cam', url, title: 'Gate', group: 'Outside', always_on: true });
    assert.deepEqual([rig.pulls.get('cam')?.title, rig.pulls.alwaysOn], ['Gate', ['cam']]);
    rig.set(other, { name: 'cam', url, title: 'Gate', group: 'Outside', always_on: true });
    rig.set({ name: 'cam', url, title: 'Gate', group: 'Outside', always_on: true });
    await rig.frames(30);
    assert.deepEqual(rig.changes, ['changed cam', 'added other', 'removed other']);
    assert.deepEqual([cameras.at(-1)!.calls, feed.restarts, feed.end, rig.waiting], [calls, 0, undefined, []]);
    await rig.end(feed);
  });

  it('is read from its new address in the same feed, where that sends the same', async () => {
    const before = await camera('flv');
    const next = await camera('flv');
    const rig = new Rig({ name: 'cam', url: before.url });
    const feed = await rig.watch();
    await rig.frames(10);
    rig.set({ name: 'cam', url: next.url });
    await eventually(() => before.connections === 0, 5000, 'the end of the connection to the old address');
    await eventually(() => next.connections === 1, 10_000, 'a connection to the new one');
    await rig.frames(30);
    const { calls } = before;
    assert.deepEqual([feed.end, feed.trouble], [undefined, undefined]);
    await rig.end(feed);
    assert.equal(before.calls, calls);
  });

  it('makes room for another feed where the new address sends something else', async () => {
    const before = await camera('flv');
    const next = await camera('mjpeg');
    const rig = new Rig({ name: 'cam', url: before.url });
    const feed = await rig.watch();
    await rig.frames(10);
    rig.set({ name: 'cam', url: next.url });
    assert.equal((await ended(feed)).reason, 'replaced');
    const second = await rig.watch(feed);
    assert.deepEqual([second.info.delivery, rig.pulls.get('cam')?.videoCodec], ['transcode', 'mjpeg']);
    await rig.frames(10);
    await rig.end(second);
  });

  it('shows the slate while nothing answers at its new address, and is right again when it is put right', async () => {
    const { url } = await camera('flv');
    const rig = new Rig({ name: 'cam', url });
    const feed = await rig.watch();
    await rig.frames(10);
    rig.set({ name: 'cam', url: 'http://127.0.0.1:1/live' });
    await eventually(() => rig.waiting.at(-1) === true, 10_000, 'the slate');
    assert.equal(rig.pulls.get('cam')?.state, 'waiting');
    assert.match(rig.pulls.get('cam')?.reason ?? '', /cannot be reached|refused/);
    await rig.frames(3);
    rig.set({ name: 'cam', url });
    await eventually(() => rig.waiting.at(-1) === false, 15_000, 'the camera');
    await rig.frames(30);
    assert.equal(feed.end, undefined);
    await rig.end(feed);
  });

  it('is another source at once for whoever comes later, where nobody watches', async () => {
    const before = await camera('flv');
    const next = await camera('mjpeg');
    const rig = new Rig({ name: 'cam', url: before.url });
    await rig.pulls.prepare('cam');
    assert.equal(rig.pulls.get('cam')?.videoCodec, 'h264');
    rig.set({ name: 'cam', url: next.url });
    assert.equal(rig.pulls.get('cam')?.state, 'empty');
    await rig.pulls.prepare('cam');
    assert.deepEqual([rig.pulls.get('cam')?.state, rig.pulls.get('cam')?.videoCodec], ['live', 'mjpeg']);
    await rig.end();
  });

  for (const [what, change, expected] of [
    ['encoded', { transcode: 'always' }, ['transcode', true]],
    ['played without sound', { audio: false }, ['passthrough', false]],
  ] as const) {
    it(`is ${what} in another feed, and need not be looked at again`, async () => {
      const source = await camera('flv');
      const { url } = source;
      const rig = new Rig({ name: 'cam', url });
      const feed = await rig.watch();
      await rig.frames(10);
      const { calls } = source;
      rig.set({ name: 'cam', url, ...change });
      assert.equal((await ended(feed)).reason, 'replaced');
      const second = await rig.watch(feed);
      assert.deepEqual([second.info.delivery, second.info.hasAudio], expected);
      await rig.frames(10);
      assert.equal(source.calls, calls + 1);
      await rig.end(second);
    });
  }

  it('has another second stream in another feed', async () => {
    const { url } = await camera('flv');
    const low = await camera('low');
    const rig = new Rig({ name: 'cam', url });
    const feed = await rig.watch();
    await rig.frames(5);
    rig.set({ name: 'cam', url, low_url: low.url });
    assert.equal((await ended(feed)).reason, 'replaced');
    const second = await rig.watch(feed);
    await eventually(() => second.layers?.[0]?.heightPx === 90, 15_000, 'the second stream');
    rig.set({ name: 'cam', url });
    assert.equal((await ended(second)).reason, 'replaced');
    assert.equal(rig.pulls.get('cam')?.layers, undefined);
    const third = await rig.watch(second);
    await rig.frames(5);
    await rig.end(third);
  });

  it('ends for everybody when it is removed, and may come back', async () => {
    const { url } = await camera('flv');
    const rig = new Rig({ name: 'cam', url });
    const feed = await rig.watch();
    await rig.frames(5);
    rig.set();
    assert.equal((await ended(feed)).reason, 'source-ended');
    assert.equal(rig.pulls.get('cam'), undefined);
    rig.set({ name: 'cam', url });
    const again = await rig.watch();
    await rig.frames(5);
    assert.deepEqual(rig.changes, ['removed cam', 'added cam']);
    // On a timeline of its own.
    rig.video.length = 0;
    await rig.end(again);
  });

  it('is given up while it is being connected for somebody, and connected at its new address', async () => {
    const next = await camera('flv');
    const rig = new Rig({ name: 'cam', url: 'http://127.0.0.1:1/live' });
    const asked = rig.pulls.prepare('cam');
    rig.set({ name: 'cam', url: next.url });
    await within(asked, 6000, 'an answer');
    const feed = await rig.watch();
    await rig.frames(5);
    await rig.end(feed);
  });
});
