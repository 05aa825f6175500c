/**
 * The least Matroska that ffmpeg reads live: a track of uncompressed I420 or of H.265, where wanted Opus beside it, a segment of
 * unknown size, one cluster a frame (RFC 9559). Raw video on a pipe has no timestamps; this gives each picture its own, and the bytes of
 * a picture are written from where they are, behind a header of about 30 bytes.
 */
import type { PictureColour } from '../media/index.js';

const UNKNOWN_SIZE = Buffer.from('01ffffffffffffff', 'hex');
const VIDEO_TRACK = 1;
const SOUND_TRACK = 2;
/** Two channels, no pre-skip, 48 kHz (RFC 7845 §5.1). */
const OPUS_HEAD = Buffer.concat([Buffer.from('OpusHead'), Buffer.from('0102000080bb0000000000', 'hex')]);
/** 48000 as a float of 64 bits. */
const OPUS_RATE = Buffer.from('40e7700000000000', 'hex');

/**
 * Everything up to the first picture. `fps` tells the encoder's rate control how often pictures come; stamps count
 * in `stampNs`, default milliseconds. `colour` is what the samples mean, in limited range; undefined says nothing.
 */
export function matroskaHeader(widthPx: number, heightPx: number, fps: number, stampNs = 1_000_000, colour?: PictureColour): Buffer {
  return header(stampNs, rawPictures(widthPx, heightPx, fps, colour));
}

/** The same with Opus beside the pictures; stamps count in milliseconds. */
export function matroskaSoundHeader(widthPx: number, heightPx: number, fps: number, colour?: PictureColour): Buffer {
  return header(1_000_000, rawPictures(widthPx, heightPx, fps, colour), [
    element(0x86, Buffer.from('A_OPUS')), // CodecID
    element(0x63a2, OPUS_HEAD), // CodecPrivate
    element(0xe1, [element(0xb5, OPUS_RATE), element(0x9f, uint(2))]), // SamplingFrequency, Channels
  ]);
}

/** The same for H.265. Stamps count in milliseconds. @param record HEVCDecoderConfigurationRecord */
export function matroskaH265Header(widthPx: number, heightPx: number, record: Buffer): Buffer {
  return header(1_000_000, [
    element(0x86, Buffer.from('V_MPEGH/ISO/HEVC')), // CodecID
    element(0x63a2, record), // CodecPrivate
    element(0xe0, size2d(widthPx, heightPx)),
  ]);
}

/** What stands in front of an Opus packet of `sizeBytes` that is heard at `stamp`. */
export function matroskaOpusHeader(stamp: number, sizeBytes: number): Buffer {
  return blockHeader(SOUND_TRACK, stamp, sizeBytes, true);
}

/** What stands in front of a picture of `sizeBytes` that is shown at `stamp`, a whole number of the header's units. */
export function matroskaPictureHeader(stamp: number, sizeBytes: number, isKeyframe = true): Buffer {
  return blockHeader(VIDEO_TRACK, stamp, sizeBytes, isKeyframe);
}

function blockHeader(track: number, stamp: number, sizeBytes: number, isKeyframe: boolean): Buffer {
  const timestamp = element(0xe7, uint(stamp));
  const block = Buffer.from([0x80 | track, 0, 0, isKeyframe ? 0x80 : 0]); // track, cluster's own time, keyframe
  const head = Buffer.concat([id(0xa3), size(block.length + sizeBytes), block]);
  const clusterBytes = timestamp.length + head.length + sizeBytes;
  return Buffer.concat([id(0x1f43b675), size(clusterBytes), timestamp, head]);
}

function header(stampNs: number, video: readonly Buffer[], sound?: readonly Buffer[]): Buffer {
  const ebml = element(0x1a45dfa3, [
    element(0x4282, Buffer.from('matroska')), // DocType
    element(0x4287, uint(4)), // DocTypeVersion
    element(0x4285, uint(2)), // DocTypeReadVersion
  ]);
  const info = element(0x1549a966, [
    element(0x2ad7b1, uint(stampNs)), // TimestampScale
    element(0x4d80, Buffer.from('sightline')), // MuxingApp
    element(0x5741, Buffer.from('sightline')), // WritingApp
  ]);
  const tracks = [trackEntry(VIDEO_TRACK, 1, video), ...(sound ? [trackEntry(SOUND_TRACK, 2, sound)] : [])];
  return Buffer.concat([ebml, id(0x18538067), UNKNOWN_SIZE, info, element(0x1654ae6b, tracks)]);
}

/** @param type 1: video, 2: audio */
function trackEntry(number: number, type: 1 | 2, codec: readonly Buffer[]): Buffer {
  return element(0xae, [
    element(0xd7, uint(number)), // TrackNumber
    element(0x73c5, uint(number)), // TrackUID
    element(0x83, uint(type)), // TrackType
    element(0x9c, uint(0)), // FlagLacing
    ...codec,
  ]);
}

function rawPictures(widthPx: number, heightPx: number, fps: number, colour: PictureColour | undefined): Buffer[] {
  return [
    element(0x86, Buffer.from('V_UNCOMPRESSED')), // CodecID
    element(0x23e383, uint(Math.round(1e9 / fps))), // DefaultDuration, ns
    element(0xe0, [
      ...size2d(widthPx, heightPx),
      element(0x2eb524, Buffer.from('I420')), // UncompressedFourCC
      ...(colour ? [colourElement(colour)] : []),
    ]),
  ];
}

/** PixelWidth, PixelHeight. */
function size2d(widthPx: number, heightPx: number): Buffer[] {
  return [element(0xb0, uint(widthPx)), element(0xba, uint(heightPx))];
}

function colourElement({ primaries, transfer, matrix }: PictureColour): Buffer {
  return element(0x55b0, [
    element(0x55b1, uint(matrix)), // MatrixCoefficients
    element(0x55b9, uint(1)), // Range: broadcast
    element(0x55ba, uint(transfer)), // TransferCharacteristics
    element(0x55bb, uint(primaries)), // Primaries
  ]);
}

function element(elementId: number, content: Buffer | readonly Buffer[]): Buffer {
  const body = Buffer.isBuffer(content) ? content : Buffer.concat(content);
  return Buffer.concat([id(elementId), size(body.length), body]);
}

function id(value: number): Buffer {
  return uint(value);
}

/** EBML variable-size integer in 8 bytes (RFC 8794 §4). */
function size(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(BigInt(value) | (1n << 56n));
  return bytes;
}

/** Big-endian without leading zeros. */
function uint(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  const from = bytes.findIndex((byte) => byte !== 0);
  return bytes.subarray(from < 0 ? 7 : from);
}
