/**
 * What is in a file, by ffprobe. Files come from people: truncated, renamed, empty, hostile. Whatever is wrong
 * becomes a `problem` in words, never an exception, so that the file can be listed with its reason.
 */
import { open } from 'node:fs/promises';
import type { ResourceLedger } from '../resources.js';
import type { FfmpegTools } from './deps.js';
import { isKnown, parseListing, videoStream, type PacketInfo, type VideoStreamInfo } from './listing.js';
import { runTool } from './run-tool.js';

/** What was found. */
export interface ProbeResult {
  /** ffprobe's name of the container, `mov,mp4,m4a,3gp,3g2,mj2`. */
  readonly container: string;
  readonly durationS: number | undefined;
  readonly video: VideoStreamInfo | undefined;
  readonly audio: { readonly index: number; readonly codec: string } | undefined;
  /** Why it cannot be played, in words; undefined when a video stream was found. */
  readonly problem: string | undefined;
}

/**
 * Containers that may be opened. Playlists and scripts (HLS, DASH, concat) are left out on purpose: they could
 * make ffmpeg read other files or the network; so are still pictures and plain text, which ffmpeg would "play".
 */
const CONTAINERS = ['mov', 'matroska', 'avi', 'mpegts', 'mpeg', 'flv', 'live_flv', 'asf', 'ogg', 'mxf', 'h264', 'hevc', 'm4v', 'mpegvideo', 'ivf', 'nut', 'rm', 'dv', 'wav', 'mp3', 'flac', 'aac'] as const;

/** Options before `-i` that keep ffmpeg and ffprobe to these containers and to local files. */
export const SAFE_INPUT = ['-format_whitelist', CONTAINERS.join(','), '-protocol_whitelist', 'file'] as const;

/** The same for a list of our own that repeats such a file. */
export const SAFE_LIST_INPUT = ['-format_whitelist', ['concat', ...CONTAINERS].join(','), '-protocol_whitelist', 'file', '-f', 'concat', '-safe', '0', '-auto_convert', '0'] as const;

const PROBE_TIMEOUT_MS = 10_000;
/** Of larger files only the first minutes' packets are read. */
const WHOLE_FILE_BYTES = 512 << 20;
const WINDOW_S = 120;

/** Looks into a file. @param sizeBytes its size, which bounds how much of it is read. Takes 10 s at most, twice. */
export async function probe(tools: FfmpegTools, file: string, sizeBytes: number, ledger?: ResourceLedger): Promise<ProbeResult> {
  if (sizeBytes === 0) return nothing('the file is empty');
  const options = { timeoutMs: PROBE_TIMEOUT_MS, ...(ledger && { ledger }) };
  const output = await runTool(tools.ffprobePath, ['-v', 'error', ...SAFE_INPUT, '-of', 'json', '-show_format', '-show_streams', file], options);
  if (output.cut) return nothing(`ffprobe did not understand the file within ${PROBE_TIMEOUT_MS / 1000} s`);
  if (output.signal !== null) return nothing(`ffprobe itself crashed on it (${output.signal}); it may be damaged, or a newer ffmpeg may understand it`);
  const listing = output.exitCode === 0 ? parseListing(output.stdout) : undefined;
  if (!listing) return nothing(explain(output.stderr, file, await beginOf(file)));
  const found = listing.streams.find((stream) => stream.codec_type === 'video' && stream.disposition?.attached_pic !== 1);
  const audio = listing.streams.find((stream) => stream.codec_type === 'audio' && isKnown(stream.codec_name));
  const durationS = positive(listing.format?.duration) ?? positive(found?.duration);
  const common = {
    container: listing.format?.format_name ?? '',
    durationS,
    audio: audio && { index: audio.index, codec: audio.codec_name ?? '' },
  };
  if (!found) return { ...common, video: undefined, problem: common.audio ? 'it has sound but no video stream' : 'it has no video stream' };
  if (!isKnown(found.codec_name)) return { ...common, video: undefined, problem: 'its video codec is unknown to ffmpeg' };
  if (!found.width || !found.height) return { ...common, video: undefined, problem: 'its video stream has no size: the file is damaged or incomplete' };
  const window = sizeBytes > WHOLE_FILE_BYTES ? ['-read_intervals', `%+${WINDOW_S}`] : [];
  const packets = await runTool(
    tools.ffprobePath,
    ['-v', 'quiet', ...SAFE_INPUT, ...window, '-select_streams', String(found.index), '-show_entries', 'packet=pts_time,dts_time,flags', '-of', 'csv=p=0', file],
    options,
  );
  const isWhole = window.length === 0 && !packets.cut;
  const info = readPackets(packets.stdout, isWhole);
  const problem = info.count === 0 ? 'its video stream holds no pictures: the file is damaged or incomplete' : undefined;
  return { ...common, video: videoStream(found, found.width, found.height, info), problem };
}

/** One line a packet: presentation time, decoding time, flags (K keyframe, D decoded but not shown). */
function readPackets(csv: string, isWhole: boolean): PacketInfo {
  const all = csv.split('\n').flatMap((line) => {
    const [pts, dts, flags] = line.trim().split(',');
    const timeS = [pts, dts].map((text) => Number.parseFloat(text ?? '')).find(Number.isFinite);
    return flags === undefined || timeS === undefined ? [] : [{ timeS, isKey: flags.includes('K'), isShown: !flags.includes('D') }];
  });
  const shown = all.filter((packet) => packet.isShown);
  const keyTimes = shown.filter((packet) => packet.isKey).map((packet) => packet.timeS);
  const beginS = shown.reduce((least, { timeS }) => Math.min(least, timeS), Infinity);
  const lastS = shown.reduce((most, { timeS }) => Math.max(most, timeS), -Infinity);
  const pictureS = shown.length > 1 ? (lastS - beginS) / (shown.length - 1) : 0.04;
  const borders = [beginS, ...keyTimes, lastS + pictureS];
  return {
    startsWithKeyframe: shown[0]?.isKey ?? false,
    startsDecodable: all[0]?.isKey ?? false,
    beginS,
    firstKeyframeS: keyTimes[0],
    longestIntervalS: borders.slice(1).reduce((most, at, i) => Math.max(most, at - (borders[i] as number)), 0),
    spanS: isWhole && shown.length > 0 ? lastS - beginS + pictureS : undefined,
    count: shown.length,
  };
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
  const last = stderr.trim().split('\n').at(-1)?.replaceAll(file, '').replace(/^\[[^\]]*\]\s*/, '').replace(/^:\s*/, '').trim();
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
