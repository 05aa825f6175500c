/** The initialization segment of a fragmented MP4 (ISO/IEC 14496-12 §8): its tracks, and no samples. */
import { clockRateHz, type VideoCodec } from '../encoded-frame.js';
import { box, fullBox, uint16, uint32, uint64, uint8 } from './boxes.js';
import type { VideoConfig } from './video-config.js';

/** track_ID of either. */
export const TRACK_ID = { video: 1, audio: 2 } as const;
/** Sample entry, and the box of its configuration. */
export const SAMPLE_ENTRY: Readonly<Record<VideoCodec, readonly [entry: string, configuration: string]>> = {
  h264: ['avc1', 'avcC'],
  h265: ['hvc1', 'hvcC'],
  vp8: ['vp08', 'vpcC'],
};
/** Of the `uuid` box behind `moov` that tells where a file comes from (§11.1). */
export const PROVENANCE_UUID = Buffer.from('7f0e6b1c52a94d0f9d0f6a6e2f1b8c43', 'hex');

/** Movie time: milliseconds. */
const MOVIE_TIMESCALE = 1000;
/** Seconds from 1904 to 1970: what MP4 counts creation times from. */
const EPOCH_1904_S = 2_082_844_800;
const MATRIX = uint32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
const UNDETERMINED = 0x55c4; // 'und' (ISO 639-2/T)
/** sample_flags (§8.8.3.1). */
export const SAMPLE_FLAGS = { keyframe: 0x02000000, other: 0x01010000 } as const;

/** Where a file comes from, for whoever finds it without its index. */
export interface Provenance {
  /** The source that was recorded. */
  readonly sourceId: string;
  /** Files of one run lie on one clock without a step. */
  readonly run: number;
  /** It was encoded for viewers, not as it came. */
  readonly isTranscoded: boolean;
}

/** What an initialization segment tells. */
export interface Initialization {
  /** Its picture; undefined: none. */
  readonly video: VideoConfig | undefined;
  /** It has a track of sound. */
  readonly hasSound: boolean;
  /** Unix time of its first frame, in ms. */
  readonly anchorMs: number;
  /** Where it comes from; undefined: it does not say. */
  readonly provenance: Provenance | undefined;
}

/** Its bytes. @param durationMs of all fragments; 0: not known yet. The size does not depend on it */
export function writeInitialization({ video, hasSound, anchorMs, provenance }: Initialization, durationMs = 0): Buffer {
  const createdS = Math.floor(anchorMs / 1000) + EPOCH_1904_S;
  const created = uint32(createdS, createdS);
  const tracks = [...(video ? [videoTrack(video, created)] : []), ...(hasSound ? [audioTrack(created)] : [])];
  const extends_ = [...(video ? [TRACK_ID.video] : []), ...(hasSound ? [TRACK_ID.audio] : [])].map((id) =>
    fullBox('trex', 0, 0, uint32(id, 1, 0, 0, 0)),
  );
  return Buffer.concat([
    box('ftyp', Buffer.from('iso6'), uint32(1), Buffer.from('iso5iso6mp42')),
    box(
      'moov',
      fullBox(
        'mvhd',
        0,
        0,
        created,
        uint32(MOVIE_TIMESCALE, durationMs, 0x10000),
        uint16(0x100, 0),
        uint32(0, 0),
        MATRIX,
        uint32(0, 0, 0, 0, 0, 0, 3),
      ),
      ...tracks,
      box('mvex', fullBox('mehd', 1, 0, uint64(Math.round(durationMs))), ...extends_),
    ),
    ...(provenance ? [provenanceBox(provenance)] : []),
  ]);
}

function provenanceBox({ sourceId, run, isTranscoded }: Provenance): Buffer {
  return box('uuid', PROVENANCE_UUID, Buffer.from(JSON.stringify({ source: sourceId, run, transcoded: isTranscoded })));
}

function videoTrack({ codec, widthPx, heightPx, record }: VideoConfig, created: Buffer): Buffer {
  const [entry, configuration] = SAMPLE_ENTRY[codec];
  // VisualSampleEntry (§12.1.3): 72 dpi, one frame a sample, no name, 24 bits.
  const sampleEntry = box(
    entry,
    Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]),
    Buffer.alloc(16),
    uint16(widthPx, heightPx),
    uint32(0x480000, 0x480000, 0),
    uint16(1),
    Buffer.alloc(32),
    uint16(24, 0xffff),
    box(configuration, record),
  );
  const size = uint32(widthPx * 65_536, heightPx * 65_536);
  return track(TRACK_ID.video, created, {
    size,
    volume: 0,
    timescale: clockRateHz(codec),
    handler: 'vide',
    header: fullBox('vmhd', 0, 1, Buffer.alloc(8)),
    sampleEntry,
  });
}

function audioTrack(created: Buffer): Buffer {
  const rateHz = clockRateHz('opus');
  // OpusSpecificBox: 2 channels, no pre-skip, for a stream is cut anywhere and decoders run in by themselves.
  const configuration = box('dOps', uint8(0, 2), uint16(0), uint32(rateHz), uint16(0), uint8(0));
  const sampleEntry = box(
    'Opus',
    Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]),
    Buffer.alloc(8),
    uint16(2, 16, 0, 0),
    uint32(rateHz * 65_536),
    configuration,
  );
  return track(TRACK_ID.audio, created, {
    size: uint32(0, 0),
    volume: 0x100,
    timescale: rateHz,
    handler: 'soun',
    header: fullBox('smhd', 0, 0, Buffer.alloc(4)),
    sampleEntry,
  });
}

interface TrackInit {
  readonly size: Buffer;
  readonly volume: number;
  readonly timescale: number;
  readonly handler: 'vide' | 'soun';
  readonly header: Buffer;
  readonly sampleEntry: Buffer;
}

function track(id: number, created: Buffer, { size, volume, timescale, handler, header, sampleEntry }: TrackInit): Buffer {
  const none = uint32(0);
  const samples = [
    fullBox('stsd', 0, 0, uint32(1), sampleEntry),
    fullBox('stts', 0, 0, none),
    fullBox('stsc', 0, 0, none),
    fullBox('stsz', 0, 0, none, none),
    fullBox('stco', 0, 0, none),
  ];
  const name = Buffer.from(handler === 'vide' ? 'video\0' : 'sound\0');
  return box(
    'trak',
    // Enabled, in the movie and in its preview.
    fullBox('tkhd', 0, 7, created, uint32(id, 0, 0, 0, 0), uint16(0, 0, volume, 0), MATRIX, size),
    box(
      'mdia',
      fullBox('mdhd', 0, 0, created, uint32(timescale, 0), uint16(UNDETERMINED, 0)),
      fullBox('hdlr', 0, 0, none, Buffer.from(handler), Buffer.alloc(12), name),
      box('minf', header, box('dinf', fullBox('dref', 0, 0, uint32(1), fullBox('url ', 0, 1))), box('stbl', ...samples)),
    ),
  );
}
