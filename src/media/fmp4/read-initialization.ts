/** What an initialization segment says, read from bytes that may be anybody's. */
import type { VideoCodec } from '../encoded-frame.js';
import { findBox, readBoxes, readBoxHeader, type ReadBox } from './boxes.js';
import { PROVENANCE_UUID, SAMPLE_ENTRY, TRACK_ID, type Provenance } from './initialization.js';
import { codecsOf, parameterSets, type VideoConfig } from './video-config.js';

/** A file of ours, up to its first fragment. */
export interface ReadInitialization {
  /** Its picture; undefined: none. */
  readonly video: VideoConfig | undefined;
  /** It has a track of sound. */
  readonly hasSound: boolean;
  /** Where it comes from; undefined: it does not say. */
  readonly provenance: Provenance | undefined;
  /** The parameter sets that stand in front of each keyframe. */
  readonly parameterSets: Buffer;
  /** Bytes that it takes: where the first fragment begins. */
  readonly bytes: number;
}

/** Most bytes that it may have. */
export const MAX_INITIALIZATION_BYTES = 64 << 10;
/** Bytes of a VisualSampleEntry before the boxes in it. */
const VISUAL_ENTRY_BYTES = 78;
const MAX_NAME_LENGTH = 1000;

/** Undefined where these are not the first bytes of a file as it is written here. */
export function readInitialization(data: Buffer): ReadInitialization | undefined {
  let at = 0;
  let moov: Buffer | undefined;
  let provenance: Provenance | undefined;
  for (let boxes = 0; boxes < 8; boxes++) {
    const header = readBoxHeader(data, at);
    if (!header || !['ftyp', 'moov', 'uuid'].includes(header.type)) break;
    if (at + header.bytes > Math.min(data.length, MAX_INITIALIZATION_BYTES)) return undefined;
    const content = data.subarray(at + header.headerBytes, at + header.bytes);
    if (header.type === 'moov') moov = content;
    if (header.type === 'uuid') provenance ??= readProvenance(content);
    at += header.bytes;
  }
  return moov && readMovie(moov, provenance, at);
}

function readMovie(moov: Buffer, provenance: Provenance | undefined, bytes: number): ReadInitialization | undefined {
  const tracks = (readBoxes(moov) ?? []).filter(({ type }) => type === 'trak').map(({ content }) => readTrack(content));
  const ofId = (id: number): ReadBox | undefined => tracks.find((track) => track?.id === id)?.entry;
  const [videoEntry, audioEntry] = [ofId(TRACK_ID.video), ofId(TRACK_ID.audio)];
  const hasSound = audioEntry?.type === 'Opus';
  const video = videoEntry && readVideo(videoEntry);
  if (tracks.length === 0 || (videoEntry && !video) || (audioEntry && !hasSound) || !(video ?? hasSound)) return undefined;
  const sets = video ? parameterSets(video.codec, video.record) : Buffer.alloc(0);
  return sets && { video, hasSound, provenance, parameterSets: sets, bytes };
}

function readTrack(trak: Buffer): { readonly id: number; readonly entry: ReadBox | undefined } | undefined {
  const tkhd = findBox(trak, 'tkhd');
  const stsd = findBox(trak, 'mdia', 'minf', 'stbl', 'stsd');
  if (!tkhd || tkhd.length < 16 || !stsd || stsd.length < 8) return undefined;
  return { id: tkhd.readUInt32BE(12), entry: readBoxes(stsd.subarray(8))?.[0] };
}

function readVideo({ type, content }: ReadBox): VideoConfig | undefined {
  const [codec, [, configuration]] = (Object.entries(SAMPLE_ENTRY) as [VideoCodec, readonly [string, string]][]).find(
    ([, [entry]]) => entry === type,
  ) ?? [undefined, []];
  if (!codec || content.length < VISUAL_ENTRY_BYTES) return undefined;
  const record = findBox(content.subarray(VISUAL_ENTRY_BYTES), configuration ?? '');
  if (!record || record.length < (codec === 'h265' ? 23 : 7)) return undefined;
  return { codec, widthPx: content.readUInt16BE(24), heightPx: content.readUInt16BE(26), codecs: codecsOf(codec, record), record };
}

function readProvenance(content: Buffer): Provenance | undefined {
  if (!content.subarray(0, PROVENANCE_UUID.length).equals(PROVENANCE_UUID)) return undefined;
  const { source, run, transcoded } = objectOf(content.toString('utf8', PROVENANCE_UUID.length));
  if (typeof source !== 'string' || source.length > MAX_NAME_LENGTH || !Number.isSafeInteger(run)) return undefined;
  return { sourceId: source, run: run as number, isTranscoded: transcoded === true };
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {}; // not ours
  }
}
