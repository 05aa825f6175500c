import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ShownFrames } from '../../../src/page/watch/shown-frames.js';

type Video = ConstructorParameters<typeof ShownFrames>[0];

/** A video as Firefox has it: it presents frames, and keeps no count of what comes live. */
function liveVideo(): { video: Video; present: () => void; readonly asked: number } {
  const callbacks = new Map<number, () => void>();
  let id = 0;
  return {
    video: {
      requestVideoFrameCallback: (callback) => {
        callbacks.set(++id, () => callback(0, {} as VideoFrameCallbackMetadata));
        return id;
      },
      cancelVideoFrameCallback: (each) => void callbacks.delete(each),
      getVideoPlaybackQuality: () => ({ totalVideoFrames: 0 }) as VideoPlaybackQuality,
    },
    present: () => {
      const due = [...callbacks.values()];
      callbacks.clear();
      due.forEach((callback) => callback());
    },
    get asked() {
      return callbacks.size;
    },
  };
}

describe('the frames that a video shows', () => {
  it('are counted where the browser keeps no count of what comes live', () => {
    const { video, present } = liveVideo();
    const frames = new ShownFrames(video);
    assert.equal(frames.count, 0);
    present();
    present();
    assert.equal(frames.count, 2);
  });

  it('are counted no more once it is closed, and nothing is asked of the video', () => {
    const live = liveVideo();
    const frames = new ShownFrames(live.video);
    live.present();
    frames.close();
    assert.equal(live.asked, 0);
    live.present();
    assert.equal(frames.count, 1);
  });

  it("are the browser's where it does not tell of each", () => {
    const video = { getVideoPlaybackQuality: () => ({ totalVideoFrames: 7 }) } as Video;
    const frames = new ShownFrames(video);
    assert.equal(frames.count, 7);
    frames.close();
  });
});
