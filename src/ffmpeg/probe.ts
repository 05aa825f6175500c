/**
 * What is in a file, by ffprobe. Files come from people: truncated, renamed, empty, hostile. Whatever is wrong
 * becomes a `problem` in words, never an exception, so that the file can be listed with its reason.
 */
import { open } from 'node:fs/promises';
import type { ResourceLedger } from '../base/resources.js';
import { hasSize, rankAudios, rankVideos } from './choose-streams.js';
import type { FfmpegTools } from './deps.js';
import { isKnown, parseListing, statedDuration, videoStream, type AudioStreamInfo, type Listing, type VideoStreamInfo } from './listing.js';
import { PACKET_LISTING, PacketLog, packetInfo, readPackets, spanOf, type ClockJumps } from './packets.js';
import { runTool } from './run-tool.js';
import { straighten } from './straighten.js';

/** What was found. */
export interface ProbeResult {
  /** ffprobe's name of the container, `mov,mp4,m4a,3gp,3g2,mj2`. */
  readonly container: string;
  /** Of everything in the container, whether it is played or not. */
  readonly durationS: number | undefined;
  /** The one to be played. */
  readonly video: VideoStreamInfo | undefined;
  /** The sound that is played; undefined where there is none that can be. */
  readonly audio: AudioStreamInfo | undefined;
  /** Why there is no `audio` although there is sound in it, in words. Default: there is none. */
  readonly audioProblem?: string | undefined;
  /** Others that could be played, best first. Default none. */
  readonly otherVideos?: readonly VideoStreamInfo[];
  /** What may be played instead where that one cannot be decoded. */
  readonly otherAudios?: readonly AudioStreamInfo[];
  /** Why it cannot be played, in words; undefined when a video stream was found. */
  readonly problem: string | undefined;
  /** True where looking was interrupted: what is said may be wrong, and another look worth it. */
  readonly isUnsettled?: boolean;
}

/** The problem of a file that could not be looked into to the end. */
export const NOT_EXAMINED = 'it is not examined yet: the machine was busy, or interrupted the examination';

/**
 * Containers that may be opened. Playlists and scripts (HLS, DASH, concat) are left out on purpose: they could
 * make ffmpeg read other files or the network; so are still pictures and plain text, which ffmpeg would "play".
 */
const CONTAINERS = [
  'mov',
  'matroska',
  'avi',
  'mpegts',
  'mpeg',
  'flv',
  'live_flv',
  'asf',
  'ogg',
  'mxf',
  'h264',
  'hevc',
  'm4v',
  'mpegvideo',
  'ivf',
  'nut',
  'rm',
  'dv',
  'wav',
  'mp3',
  'flac',
  'aac',
] as const;

/** Options before `-i` that keep ffmpeg and ffprobe to these containers and to local files. */
export const SAFE_INPUT = ['-format_whitelist', CONTAINERS.join(','), '-protocol_whitelist', 'file'] as const;

/** The same for a list of our own that repeats such a file. */
export const SAFE_LIST_INPUT = [
  '-format_whitelist',
  ['concat', ...CONTAINERS].join(','),
  '-protocol_whitelist',
  'file',
  '-f',
  'concat',
  '-safe',
  '0',
  '-auto_convert',
  '0',
] as const;

const PROBE_TIMEOUT_MS = 10_000;
/** Of larger files only the first minutes' packets are read. */
const WHOLE_FILE_BYTES = 512 << 20;
const WINDOW_S = 120;
/** A line a packet: about six hours of film with sound. */
const MAX_LISTING_BYTES = 96 << 20;

/** How ffprobe is run. */
interface ProbeOptions {
  /** Default: it is not counted. */
  readonly ledger?: ResourceLedger;
  /** For each of two runs. Default 10000 ms. */
  readonly timeoutMs?: number;
  /** Ends it at once; whoever aborts it does not heed what was found. */
  readonly signal?: AbortSignal;
}

/** Looks into a file. @param sizeBytes its size, which bounds how much of it is read. */
export async function probe(
  tools: FfmpegTools,
  file: string,
  sizeBytes: number,
  { timeoutMs = PROBE_TIMEOUT_MS, ...running }: ProbeOptions = {},
): Promise<ProbeResult> {
  if (sizeBytes === 0) return nothing('the file is empty');
  const options = { timeoutMs, ...running };
  const output = await runTool(
    tools.ffprobePath,
    ['-v', 'error', ...SAFE_INPUT, '-of', 'json', '-show_format', '-show_streams', '-show_programs', file],
    options,
  );
  if (output.interruption) return { ...nothing(NOT_EXAMINED), isUnsettled: true };
  if (output.cut) return nothing('ffprobe says more of it than any video needs');
  if (output.signal !== null)
    return nothing(`ffprobe itself crashed on it (${output.signal}); it may be damaged, or a newer ffmpeg may understand it`);
  const listing = output.exitCode === 0 ? parseListing(output.stdout) : undefined;
  if (!listing) return nothing(explain(output.stderr, file, await beginOf(file)));
  const window = sizeBytes > WHOLE_FILE_BYTES ? ['-read_intervals', `%+${WINDOW_S}`] : [];
  const packets = await runTool(tools.ffprobePath, ['-v', 'quiet', ...SAFE_INPUT, ...window, ...PACKET_LISTING, file], {
    ...options,
    maxBytes: MAX_LISTING_BYTES,
  });
  const isWhole = window.length === 0 && !packets.cut && !packets.interruption;
  const found = chooseStreams(listing, await readPackets(packets.stdout), isWhole);
  if (!packets.interruption) return found;
  return { ...found, isUnsettled: true, problem: found.problem === undefined ? undefined : NOT_EXAMINED };
}

function chooseStreams(listing: Listing, logs: ReadonlyMap<number, PacketLog>, isWhole: boolean): ProbeResult {
  const logOf = (index: number): PacketLog => logs.get(index) ?? new PacketLog();
  const candidates = listing.streams.map((stream) => ({ stream, count: spanOf(logOf(stream.index)).count }));
  const videos = rankVideos(candidates);
  const audios = videos[0] ? rankAudios(candidates, videos[0].stream, listing) : [];
  const together = [...videos.slice(0, 1), ...audios].map(({ stream }) => stream.index);
  const jumps = isWhole ? straighten(together.map(logOf), listing.format?.format_name ?? '') : [];
  const jumpsOf = (index: number): ClockJumps | undefined => jumps[together.indexOf(index)];
  const [video, ...otherVideos] = videos.map(({ stream }) =>
    videoStream(stream, stream.width ?? 0, stream.height ?? 0, {
      ...packetInfo(logOf(stream.index), isWhole),
      jumps: jumpsOf(stream.index),
    }),
  );
  const common = { container: listing.format?.format_name ?? '', durationS: positive(listing.format?.duration) ?? video?.statedS };
  if (!video) return { ...common, video, audio: firstAudio(listing), problem: whyNoVideo(listing) };
  const [audio, ...otherAudios] = audios.map(({ stream }): AudioStreamInfo => {
    const { beginS, endS } = spanOf(logOf(stream.index));
    return {
      index: stream.index,
      codec: stream.codec_name ?? '',
      channels: stream.channels,
      statedS: statedDuration(stream),
      jumps: jumpsOf(stream.index),
      span: isWhole ? { beginS, endS } : undefined,
    };
  });
  return { ...common, video, audio, ...(!audio && { audioProblem: whyNoAudio(listing) }), otherVideos, otherAudios, problem: undefined };
}

function firstAudio({ streams }: Listing): AudioStreamInfo | undefined {
  const stream = streams.find(({ codec_type, codec_name }) => codec_type === 'audio' && isKnown(codec_name));
  return stream && { index: stream.index, codec: stream.codec_name ?? '' };
}

/** Undefined where there is none at all. */
function whyNoAudio(listing: Listing): string | undefined {
  if (!listing.streams.some(({ codec_type }) => codec_type === 'audio')) return undefined;
  const known = firstAudio(listing);
  return known ? `its sound (${known.codec}) holds nothing` : 'the codec of its sound is unknown to ffmpeg';
}

/** What the best of its video streams lacks. */
function whyNoVideo(listing: Listing): string {
  const videos = listing.streams.filter(({ codec_type, disposition }) => codec_type === 'video' && disposition?.attached_pic !== 1);
  if (videos.length === 0) return firstAudio(listing) ? 'it has sound but no video stream' : 'it has no video stream';
  const known = videos.filter(({ codec_name }) => isKnown(codec_name));
  if (known.length === 0) return 'its video codec is unknown to ffmpeg';
  if (!known.some(hasSize)) return 'its video stream has no size: the file is damaged or incomplete';
  return 'its video stream holds no pictures: the file is damaged or incomplete';
}

/** The first bytes; none when it cannot be read, which ffprobe has told already. */
async function beginOf(file: string): Promise<Buffer> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return Buffer.alloc(0);
  try {
    return (await handle.read(Buffer.alloc(12), 0, 12, 0)).buffer;
  } finally {
    await handle.close();
  }
}

/** First box types of MP4 and QuickTime files. */
const MP4_BEGIN = /^.{4}(ftyp|moov|mdat|wide|free|skip|pnot)/s;

/** ffprobe's last line without the path of the file, which is nobody's business. */
function explain(stderr: string, file: string, begin: Buffer): string {
  const last = stderr
    .trim()
    .split('\n')
    .at(-1)
    ?.replaceAll(file, '')
    .replace(/^\[[^\]]*\]\s*/, '')
    .replace(/^:\s*/, '')
    .trim();
  if (/Permission denied|Input\/output error|No such file/.test(last ?? '')) return `it cannot be read (${last})`;
  if (/not on whitelist|whitelist/i.test(stderr)) return 'it is not a video in a supported container';
  if (/moov atom not found/.test(stderr) && !MP4_BEGIN.test(begin.toString('latin1'))) return 'it is not a video, whatever its name says';
  if (/moov atom not found/.test(stderr)) return 'it is incomplete: the index at its end is missing (moov atom not found)';
  return `it is not a video, or damaged${last ? ` (${last})` : ''}`;
}

function nothing(problem: string): ProbeResult {
  return { container: '', durationS: undefined, video: undefined, audio: undefined, problem };
}

function positive(text: string | undefined): number | undefined {
  const value = Number(text);
  return Number.isFinite(value) && value > 0 ? value : undefined;
}
