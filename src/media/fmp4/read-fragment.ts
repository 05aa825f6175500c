/** A fragment as it is written here, read from bytes that may be anybody's: every length and count is checked before it is followed. */
import type { EncodedFrame } from '../encoded-frame.js';
import { findBox, readBoxes, readBoxHeader, readUint64 } from './boxes.js';
import { TRACK_ID, SAMPLE_FLAGS } from './initialization.js';
import { fromNtp } from './ntp.js';
import type { ReadInitialization } from './read-initialization.js';
import type { TrackKind } from './fragment-writer.js';

/** Where the parts of a fragment stand. */
export interface FragmentHead {
  /** Bytes of the whole fragment. */
  readonly bytes: number;
  /** Unix time of the file's first frame, in ms. */
  readonly anchorMs: number;
  /** Its frames: those of the picture, then the sound. */
  readonly samples: readonly FragmentSample[];
}

/** Where a frame stands in a fragment. */
export interface FragmentSample {
  /** Its track. */
  readonly kind: TrackKind;
  /** From the file's first frame, in ms. */
  readonly mediaTimeMs: number;
  /** In ms. */
  readonly durationMs: number;
  /** Decoding can start here. */
  readonly keyframe: boolean;
  /** From the fragment's first byte. */
  readonly offset: number;
  /** Size. */
  readonly bytes: number;
}

/** Bytes from which most heads can be read: `prft`, `moof`, the header of `mdat`. */
export const USUAL_HEAD_BYTES = 4096;
/** Most bytes of a head. */
export const MAX_HEAD_BYTES = 256 << 10;
/** Most bytes of a fragment: half a second of 500 Mbit/s, twice. */
export const MAX_FRAGMENT_BYTES = 64 << 20;
/** Frames of a track in a fragment; half a second has about 60. */
const MAX_SAMPLES = 5000;
/** Longest file: what export writes may have a year in it. A time beyond is none, and no calendar may have it. */
const MAX_MEDIA_TIME_S = 400 * 86_400;
/** tr_flags that are written here; no others are read. */
const DATA_OFFSET = 0x1;
const FIRST_FLAGS = 0x4;
const [DURATION, SIZE, FLAGS] = [0x100, 0x200, 0x400];

/** What reading a head comes to: it, `short` where it needs more bytes, undefined where this is no fragment. */
type HeadResult = FragmentHead | 'short' | undefined;

/** The head of the fragment that `data` begins with; `mdat` need not be in it. `isShort`: give more bytes. */
export function readFragmentHead(data: Buffer): HeadResult {
  const prft = readBoxHeader(data, 0);
  if (!prft) return data.length < 16 ? 'short' : undefined;
  const moof = prft.type === 'prft' && prft.bytes <= 64 ? readBoxHeader(data, prft.bytes) : undefined;
  if (prft.type === 'prft' && prft.bytes <= 64 && !moof && data.length < prft.bytes + 16) return 'short';
  if (moof?.type !== 'moof' || moof.bytes > MAX_HEAD_BYTES - 128) return undefined;
  const end = prft.bytes + moof.bytes;
  if (data.length < end + 16) return 'short';
  const mdat = readBoxHeader(data, end);
  if (mdat?.type !== 'mdat' || mdat.bytes > MAX_FRAGMENT_BYTES) return undefined;
  const reference = readReference(data.subarray(prft.headerBytes, prft.bytes));
  const samples = readMovieFragment(data.subarray(prft.bytes + moof.headerBytes, end), prft.bytes);
  const bytes = end + mdat.bytes;
  const first = samples?.[0];
  if (!reference || !samples || !first || samples.some((each) => each.offset < end || each.offset + each.bytes > bytes)) return undefined;
  return { bytes, anchorMs: reference.unixMs - first.mediaTimeMs, samples };
}

/** The frame of a sample. @param fragment the whole of it */
export function readSample(fragment: Buffer, sample: FragmentSample, { video, parameterSets }: ReadInitialization): EncodedFrame {
  const { kind, mediaTimeMs, keyframe, offset, bytes } = sample;
  const data = fragment.subarray(offset, offset + bytes);
  const needsSets = kind === 'video' && keyframe && video !== undefined && parameterSets.length > 0;
  return { data: needsSets ? Buffer.concat([parameterSets, data]) : data, mediaTimeMs, keyframe: kind === 'audio' || keyframe };
}

function readReference(content: Buffer): { readonly unixMs: number } | undefined {
  // Version and flags, track_ID, NTP, media time of 64 bits.
  if (content.length !== 24 || content[0] !== 1) return undefined;
  return { unixMs: fromNtp(content.readUInt32BE(8), content.readUInt32BE(12)) };
}

function readMovieFragment(moof: Buffer, moofAt: number): FragmentSample[] | undefined {
  const tracks = readBoxes(moof)?.filter(({ type }) => type === 'traf');
  const read = tracks?.map(({ content }) => readTrack(content, moofAt));
  return read?.every((samples) => samples !== undefined) ? read.flat() : undefined;
}

function readTrack(traf: Buffer, moofAt: number): FragmentSample[] | undefined {
  const [tfhd, tfdt, trun] = [findBox(traf, 'tfhd'), findBox(traf, 'tfdt'), findBox(traf, 'trun')];
  if (!tfhd || tfhd.length < 8 || tfdt?.length !== 12 || tfdt[0] !== 1 || !trun || trun.length < 12) return undefined;
  const trackId = tfhd.readUInt32BE(4);
  if (trackId !== TRACK_ID.video && trackId !== TRACK_ID.audio) return undefined;
  const flags = trun.readUIntBE(1, 3);
  const count = trun.readUInt32BE(4);
  const hasFlags = (flags & FLAGS) !== 0;
  const entryBytes = hasFlags ? 12 : 8;
  const isOurs = (flags & ~FLAGS) === (DATA_OFFSET | DURATION | SIZE) && (flags & FIRST_FLAGS) === 0;
  if (!isOurs || count > MAX_SAMPLES || trun.length !== 12 + count * entryBytes) return undefined;
  const kind = trackId === TRACK_ID.video ? 'video' : 'audio';
  const clockHz = kind === 'video' ? 90_000 : 48_000;
  const samples: FragmentSample[] = [];
  let ticks = readUint64(tfdt, 4);
  let offset = moofAt + trun.readUInt32BE(8);
  for (let at = 12; at < trun.length; at += entryBytes) {
    const [durationTicks, bytes] = [trun.readUInt32BE(at), trun.readUInt32BE(at + 4)];
    const keyframe = !hasFlags || trun.readUInt32BE(at + 8) === SAMPLE_FLAGS.keyframe;
    samples.push({ kind, mediaTimeMs: (ticks * 1000) / clockHz, durationMs: (durationTicks * 1000) / clockHz, keyframe, offset, bytes });
    ticks += durationTicks;
    offset += bytes;
  }
  return ticks <= MAX_MEDIA_TIME_S * clockHz ? samples : undefined;
}
