import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MediaPeerError } from '../../../src/base/errors.js';
import type { OpenedSource, TrackLease } from '../../../src/media/index.js';
import { StreamTracks, type WantedTrack } from '../../../src/webrtc/session/stream-tracks.js';
import type { ViewerStream } from '../../../src/webrtc/session/viewer-stream.js';
import { FakeClock } from '../../helpers/fake-clock.js';

/** A stream that sends 360p, of a source whose own quality cannot be had until `isUp`. */
function rig(): {
  readonly clock: FakeClock;
  readonly tracks: StreamTracks;
  tries: number;
  isUp: boolean;
  wanted: string;
  heading: string;
} {
  const clock = new FakeClock();
  const lease = { track: {}, release: () => undefined } as unknown as TrackLease;
  const source = {
    ladder: () => [],
    openTrack: () => {
      state.tries++;
      if (!state.isUp) throw new MediaPeerError('SOURCE_NOT_LIVE', 'the camera is away');
      return lease;
    },
  } as unknown as OpenedSource;
  const stream = {
    get heading() {
      return state.heading;
    },
    get rung() {
      return state.heading;
    },
    holdsTrack: true,
    keyOf: () => ({}),
    ladderOf: () => [],
    stay: () => undefined,
    stop: () => undefined,
    change: ({ rung }: { readonly rung: string }) => (state.heading = rung),
  } as unknown as ViewerStream;
  const tracks = new StreamTracks({
    clock,
    streams: [stream],
    wanted: (): WantedTrack => ({ source, rung: state.wanted }),
    onHeld: () => undefined,
    onEnded: () => undefined,
    onFailed: () => undefined,
  });
  const state = { clock, tracks, tries: 0, isUp: false, wanted: 'source', heading: '360p' };
  return state;
}

/** As a session looks after its tracks: once a second, and with what it hears of the network. */
async function lookFor(seconds: number, { clock, tracks }: ReturnType<typeof rig>): Promise<void> {
  for (let i = 0; i < seconds * 20; i++) {
    tracks.reconcile();
    await clock.advance(50);
  }
}

describe('a track that cannot be opened', () => {
  it('is tried again later and later, every 10 s at last, for as long as it is wanted', async () => {
    const state = rig();
    await lookFor(10, state);
    assert.ok(state.tries >= 3 && state.tries <= 6, `${state.tries} tries in 10 s`);
    await lookFor(30, state);
    const before = state.tries;
    await lookFor(60, state);
    assert.ok(state.tries - before >= 6 && state.tries - before <= 12, `${state.tries - before} tries in a minute`);
    state.isUp = true;
    await lookFor(11, state);
    assert.equal(state.heading, 'source');
    assert.equal(state.clock.pendingTimers, 0);
  });

  it('is tried at once by whoever asks for it, who hears why it cannot be had', async () => {
    const state = rig();
    await lookFor(30, state);
    const before = state.tries;
    await assert.rejects(state.tracks.reached(), { message: 'the camera is away' });
    assert.equal(state.tries, before + 1);
    state.isUp = true;
    await state.tracks.reached();
    assert.equal(state.heading, 'source');
  });

  it('keeps no other from being tried', async () => {
    const state = rig();
    await lookFor(30, state);
    const before = state.tries;
    state.wanted = '180p';
    await lookFor(0.05, state);
    state.wanted = 'source';
    await lookFor(0.05, state);
    assert.equal(state.tries, before + 2);
  });
});
