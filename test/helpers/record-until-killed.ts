/** A process of its own that records a clip as a live source would send it, until it is killed. @param argv folder of recordings */
import { systemClock } from '../../src/base/clock.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { DiskSync, SegmentWriter, sourceFolder } from '../../src/recording/index.js';
import { liveClip, repeated } from './recorded-clips.js';

const [recordDir = ''] = process.argv.slice(2);
const clock = systemClock(new ResourceLedger());
const frames = repeated(liveClip({ gopSeconds: 4 }), 30, 4000);
const writer = new SegmentWriter({
  ...{
    sourceId: 'cam1',
    folder: sourceFolder(recordDir, 'cam1'),
    clock,
    disk: new DiskSync(clock),
    isTranscoded: () => false,
    hasSound: true,
  },
  placeOf: (mediaTimeMs) => ({ run: 1, wallMs: startWallMs + mediaTimeMs }),
  onBegun: () => undefined,
  onGrown: () => undefined,
  onFinished: () => undefined,
  onFailed: ({ message }) => process.stdout.write(`failed ${message}\n`),
});
const startWallMs = clock.wallClock();
let next = 0;
clock.every(5, () => {
  for (; frames[next] && frames[next]!.frame.mediaTimeMs <= clock.wallClock() - startWallMs; next++) {
    const { kind, frame, codec } = frames[next]!;
    writer.write(kind, frame, codec);
    // The newest frame that the recorder was given: what may be lost is counted from there.
    if (kind === 'video') process.stdout.write(`${startWallMs + frame.mediaTimeMs}\n`);
  }
});
