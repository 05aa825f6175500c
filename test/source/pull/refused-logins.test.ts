/** Cameras whose password is wrong, or is changed: they lock accounts for everybody after a few wrong ones. */
import assert from 'node:assert/strict';
import { after, beforeEach, describe, it } from 'node:test';
import type { LiveInput } from '../../../src/ffmpeg/index.js';
import { RefusedLogins } from '../../../src/source/pull/refused-logins.js';
import { PullSources, type SourceFeed } from '../../../src/source/index.js';
import { parseSources } from '../../../src/source/pull/sources-file.js';
import { HttpCamera } from '../../helpers/cameras.js';
import { eventually } from '../../helpers/deadline.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { assertNothingHeld, realDeps } from '../../helpers/ffmpeg-deps.js';

const MINUTE_MS = 60_000;
const WRONG = 'the user name or the password is wrong (Server returned 401 Unauthorized)';

const inputOf = (address: string, headers?: string): LiveInput => ({
  kind: 'rtsp',
  address,
  options: headers === undefined ? {} : { headers },
  redact: (text) => text,
});

describe('what a camera has refused', () => {
  let clock: FakeClock;
  let logins: RefusedLogins;
  const gate = inputOf('rtsp://admin:wrong@10.0.0.5/stream1');
  beforeEach(() => {
    clock = new FakeClock();
    logins = new RefusedLogins(clock);
  });

  it('is shown again after 5 min, then ever more seldom, at least once an hour', async () => {
    const waits: number[] = [];
    for (let i = 0; i < 6; i++) {
      assert.equal(logins.waitMs(gate), 0);
      assert.match(
        logins.failed(gate, WRONG),
        /is wrong .*; tried again after \d+ min: cameras lock accounts after a few wrong passwords$/,
      );
      waits.push(logins.waitMs(gate) / MINUTE_MS);
      assert.throws(() => logins.throwIfRefused(gate), { code: 'FFMPEG_FAILED', message: /user name and password were refused/ });
      // Another call that went out at the same time.
      logins.failed(gate, WRONG);
      assert.equal(logins.waitMs(gate) / MINUTE_MS, waits.at(-1));
      await clock.advance(logins.waitMs(gate));
    }
    assert.deepEqual(waits, [5, 10, 20, 40, 60, 60]);
  });

  it('holds for every stream of that account at that host, and for no other one', () => {
    logins.failed(gate, WRONG);
    for (const address of ['rtsp://admin:wrong@10.0.0.5/stream2', 'http://admin:wrong@10.0.0.5.:8080/live'])
      assert.ok(logins.waitMs(inputOf(address)) > 0, address);
    for (const other of [
      inputOf('rtsp://admin:right@10.0.0.5/stream1'),
      inputOf('rtsp://viewer:wrong@10.0.0.5/stream1'),
      inputOf('rtsp://admin:wrong@10.0.0.6/stream1'),
      inputOf('rtsp://admin:wrong@10.0.0.5/stream1', 'Authorization: Basic x\r\n'),
      { ...inputOf('/dev/video0'), kind: 'v4l2' as const },
    ])
      assert.equal(logins.waitMs(other), 0);
  });

  it('is nothing else than a login, and is over once somebody was let in', () => {
    for (const said of ['nothing listens at that address and port (Connection refused)', 'it denies access to this user (403)', ''])
      assert.equal(logins.failed(gate, said), said);
    assert.equal(logins.waitMs(gate), 0);
    logins.failed(gate, WRONG);
    logins.accepted(inputOf('rtsp://admin:wrong@10.0.0.5/stream2'));
    assert.equal(logins.waitMs(gate), 0);
  });
});

describe('a camera with a password', { timeout: 120_000 }, () => {
  const cameras: HttpCamera[] = [];
  after(() => Promise.all(cameras.map((camera) => camera.switchOff())));

  async function open(user: string, more: object = {}) {
    const camera = await HttpCamera.start('flv', 'admin:right');
    cameras.push(camera);
    const clock = new FakeClock();
    const deps = { ...realDeps(), clock };
    const url = `http://${user}@${camera.url.slice(7)}`;
    const read = (entry: object) => parseSources(JSON.stringify({ sources: [{ name: 'gate', ...entry }] }), { variables: {} });
    const pulls = new PullSources({ ...deps, entries: read({ url, ...more }), caption: () => Promise.resolve() });
    const reason = (): string => pulls.get('gate')?.reason ?? '';
    return { camera, clock, deps, pulls, reason, change: (entry: object) => pulls.set(read(entry)) };
  }

  it('that is wrong is called once in 5 min, however many ask for it, and at once with another password', async () => {
    const { camera, clock, deps, pulls, reason, change } = await open('admin:wrong');
    for (let i = 0; i < 20; i++) {
      await pulls.prepare('gate');
      await clock.advance(10_000);
    }
    assert.equal(camera.wrongLogins, 1);
    assert.match(reason(), /the user name or the password is wrong .*; tried again after 5 min: cameras lock accounts/);
    await clock.advance(100_000);
    await pulls.prepare('gate');
    assert.equal(camera.wrongLogins, 2);
    assert.match(reason(), /tried again after 10 min/);
    change({ url: `http://admin:right@${camera.url.slice(7)}` });
    await pulls.prepare('gate');
    assert.deepEqual([pulls.get('gate')?.state, camera.wrongLogins], ['live', 2]);
    await pulls.close();
    assertNothingHeld(deps);
  });

  it('that is changed at the camera while somebody watches is shown once in 5 min, and says why', async () => {
    const { camera, clock, deps, pulls, reason, change } = await open('admin:right');
    await pulls.prepare('gate');
    let frames = 0;
    const feed: SourceFeed = pulls
      .get('gate')!
      .open(
        { encodedVideo: () => frames++, audio: () => undefined, picture: () => undefined, waiting: () => undefined },
        { ...deps, signal: new AbortController().signal },
      );
    await eventually(() => frames > 3, 20_000, 'pictures');
    camera.credentials = 'admin:other';
    camera.hangUp();
    const lookOn = async (done: () => boolean, what: string): Promise<unknown> =>
      eventually(
        async () => {
          await clock.advance(1000);
          return done();
        },
        30_000,
        what,
      );
    await lookOn(() => camera.wrongLogins > 0 && /tried again after 5 min/.test(feed.trouble ?? ''), 'the refusal');
    await lookOn(() => /the camera cannot be used: the user name or the password is wrong/.test(reason()), 'the reason in the list');
    const sinceMs = clock.now();
    while (clock.now() - sinceMs < 4.5 * MINUTE_MS) {
      await clock.advance(5000);
      await new Promise(setImmediate);
    }
    assert.equal(camera.wrongLogins, 1);
    camera.credentials = 'admin:right';
    const before = frames;
    await lookOn(() => frames > before, 'pictures again');
    assert.equal(camera.wrongLogins, 1);
    // Another account is shown at once, and the one before not again, whichever of them is described now.
    camera.credentials = 'admin:third';
    camera.hangUp();
    await lookOn(() => camera.wrongLogins === 2, 'the next refusal');
    change({ url: `http://admin:fourth@${camera.url.slice(7)}` });
    await lookOn(() => camera.wrongLogins === 3, 'the refusal of the other one');
    change({ url: `http://admin:right@${camera.url.slice(7)}` });
    for (let i = 0; i < 20; i++) {
      await clock.advance(1000);
      await new Promise(setImmediate);
    }
    assert.equal(camera.wrongLogins, 3);
    change({ url: `http://admin:third@${camera.url.slice(7)}` });
    const later = frames;
    await lookOn(() => frames > later, 'pictures of the right one');
    await feed.close();
    await pulls.close();
    assertNothingHeld(deps);
  });
});
