/** One fragment of a file (ISO/IEC 14496-12 §8.8): when it was (`prft`), what is in it (`moof`), and the samples (`mdat`). */
import { box, BOX_HEADER_BYTES, fullBox, uint32, uint64 } from './boxes.js';
import { SAMPLE_FLAGS, TRACK_ID } from './initialization.js';
import { toNtp } from './ntp.js';

/** A frame as it stands in a fragment. */
export interface Sample {
  /** Its bytes, one after the other. */
  readonly data: readonly Buffer[];
  /** Of all of them. */
  readonly bytes: number;
  /** From the file's first frame, in the clock of its track. */
  readonly ticks: number;
  /** In the clock of its track. */
  readonly durationTicks: number;
  /** Decoding can start here. */
  readonly keyframe: boolean;
}

/** What a fragment is made of. */
export interface FragmentInit {
  /** Counts from 1 within the file. */
  readonly sequenceNumber: number;
  /** Unix time of the file's first frame, in ms. */
  readonly anchorMs: number;
  /** Pictures, in order. */
  readonly video: readonly Sample[];
  /** Sound, in order. */
  readonly audio: readonly Sample[];
}

/** ProducerReferenceTime (§8.16.5): the time is that of the capture. */
const CAPTURED = 24;
/** tf_flags: default_sample_flags are told, offsets count from the `moof`. */
const FRAGMENT_FLAGS = 0x020020;
/** tr_flags: data_offset; of each sample duration and size, of pictures flags. */
const RUN_FLAGS = { video: 0x000701, audio: 0x000301 } as const;
const CLOCK_HZ = { video: 90_000, audio: 48_000 } as const;

/** Its bytes, all in one. Empty where there are no samples. */
export function writeFragment({ sequenceNumber, anchorMs, video, audio }: FragmentInit): Buffer {
  const tracks = (
    [
      ['video', video],
      ['audio', audio],
    ] as const
  ).filter(([, samples]) => samples.length > 0);
  const [first] = tracks;
  if (!first) return Buffer.alloc(0);
  const sizes = tracks.map(([, samples]) => samples.reduce((sum, { bytes }) => sum + bytes, 0));
  const write = (base: number): Buffer =>
    box(
      'moof',
      fullBox('mfhd', 0, 0, uint32(sequenceNumber)),
      ...tracks.map(([kind, samples], at) => trackFragment(kind, samples, base + sizes.slice(0, at).reduce((sum, size) => sum + size, 0))),
    );
  const moof = write(write(0).length + BOX_HEADER_BYTES);
  const mdatHeader = Buffer.concat([uint32(sizes.reduce((sum, size) => sum + size, BOX_HEADER_BYTES)), Buffer.from('mdat')]);
  return Buffer.concat([
    referenceTime(first[0], (first[1][0] as Sample).ticks, anchorMs),
    moof,
    mdatHeader,
    ...tracks.flatMap(([, samples]) => samples.flatMap(({ data }) => data)),
  ]);
}

function referenceTime(kind: 'video' | 'audio', ticks: number, anchorMs: number): Buffer {
  return fullBox('prft', 1, CAPTURED, uint32(TRACK_ID[kind], ...toNtp(anchorMs + (ticks / CLOCK_HZ[kind]) * 1000)), uint64(ticks));
}

function trackFragment(kind: 'video' | 'audio', samples: readonly Sample[], dataOffset: number): Buffer {
  const isVideo = kind === 'video';
  const entries = samples.flatMap(({ durationTicks, bytes, keyframe }) => [
    durationTicks,
    bytes,
    ...(isVideo ? [keyframe ? SAMPLE_FLAGS.keyframe : SAMPLE_FLAGS.other] : []),
  ]);
  return box(
    'traf',
    fullBox('tfhd', 0, FRAGMENT_FLAGS, uint32(TRACK_ID[kind], isVideo ? SAMPLE_FLAGS.other : SAMPLE_FLAGS.keyframe)),
    fullBox('tfdt', 1, 0, uint64((samples[0] as Sample).ticks)),
    fullBox('trun', 0, RUN_FLAGS[kind], uint32(samples.length, dataOffset, ...entries)),
  );
}
