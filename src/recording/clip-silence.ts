/**
 * Silence where a clip has a track of sound and nothing is in it for long: a microphone that is off, a segment before sound came.
 * Who writes an MP4 waits with its pictures for the first sound, so that a clip would not begin before there is some.
 */
import type { ClipFrame } from './clip-frames.js';

/** One Opus frame of 20 ms without a sound (RFC 6716 §3.1: CELT, full band, mono). */
const SILENCE = Buffer.from([0xf8, 0xff, 0xfe]);
/** Sound comes a second behind its picture at most. */
const LATE_MS = 1000;
const SILENT_MS = 2 * LATE_MS;

/** The same frames, and one of silence now and then where sound stays away; what lies between them is filled by who encodes. */
export async function* withSilence(frames: AsyncIterable<ClipFrame>): AsyncGenerator<ClipFrame> {
  let soundMs = 0;
  for await (const each of frames) {
    const { mediaTimeMs } = each.frame;
    if (each.kind === 'audio') {
      if (mediaTimeMs < soundMs) continue;
      soundMs = mediaTimeMs;
    } else if (mediaTimeMs - soundMs > SILENT_MS) {
      soundMs = mediaTimeMs - LATE_MS;
      yield { ...each, kind: 'audio', wallMs: each.wallMs - LATE_MS, frame: { data: SILENCE, keyframe: true, mediaTimeMs: soundMs } };
    }
    yield each;
  }
}
