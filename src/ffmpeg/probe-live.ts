/** What a camera sends, by ffprobe: it is called, listened to for a moment, and hung up on. */
import { MediaPeerError } from '../errors.js';
import type { FfmpegDeps } from './deps.js';
import { isKnown, parseListing, videoStream, type ListedStream, type PacketInfo } from './listing.js';
import { liveInputOptions, type LiveInput } from './live-input.js';
import type { ProbeResult } from './probe.js';
import { runTool } from './run-tool.js';

/** How long a camera may take to answer and to show what it sends. */
export const LIVE_PROBE_TIMEOUT_MS = 8_000;
/** Cameras that do not say their codec's parameters show them with a keyframe, seconds apart. */
const ANALYSE_US = 5_000_000;

/** Nothing is known of packets that have not come yet: a running feed watches over them. */
const UNSEEN: PacketInfo = { startsWithKeyframe: true, startsDecodable: true, beginS: 0, firstKeyframeS: 0, longestIntervalS: 0, spanS: undefined, count: 1 };

/**
 * Calls it. Takes 8 s at most.
 * @throws MediaPeerError FFMPEG_FAILED: why there is no answer, or no picture in it; without credentials
 */
export async function probeLive(input: LiveInput, { tools, ledger }: Pick<FfmpegDeps, 'tools' | 'ledger'>): Promise<ProbeResult> {
  const analyse = input.options['analyzeduration'] === undefined ? ['-analyzeduration', String(ANALYSE_US)] : [];
  const args = ['-v', 'error', ...analyse, ...liveInputOptions(input, tools), '-of', 'json', '-show_format', '-show_streams', input.address];
  const output = await runTool(tools.ffprobePath, args, { ledger, timeoutMs: LIVE_PROBE_TIMEOUT_MS });
  const listing = output.exitCode === 0 ? parseListing(output.stdout) : undefined;
  if (!listing) throw failed(output.cut ? `it did not answer within ${LIVE_PROBE_TIMEOUT_MS / 1000} s` : explain(output.stderr, input));
  const video = listing.streams.find(({ codec_type }) => codec_type === 'video');
  if (!video) throw failed('it answers, but sends no video');
  if (!isKnown(video.codec_name)) throw failed('its video codec is unknown to ffmpeg');
  if (!video.width || !video.height) throw failed('its pictures could not be understood in time: no size is known');
  const audio = listing.streams.find((stream) => stream.codec_type === 'audio' && isKnown(stream.codec_name));
  return {
    container: listing.format?.format_name ?? '',
    durationS: durationOf(listing.format?.duration, video),
    video: videoStream(video, video.width, video.height, UNSEEN),
    audio: audio && { index: audio.index, codec: audio.codec_name ?? '' },
    problem: undefined,
  };
}

/** Of a recording; undefined for what goes on without end. */
function durationOf(text: string | undefined, { duration }: ListedStream): number | undefined {
  return [text, duration].map(Number).find((value) => Number.isFinite(value) && value > 0);
}

/** ffprobe's last line, without the address and without the module's name. */
function explain(stderr: string, input: LiveInput): string {
  const lines = input.redact(stderr.replaceAll(input.address, '')).split('\n');
  const said = lines.map((line) => line.replace(/^\[[^\]]*\]\s*/, '').replace(/^\s*:?\s*/, '').trim()).filter((line) => line !== '');
  return said.length > 0 ? said.slice(-2).join('; ').slice(0, 300) : 'it cannot be opened';
}

function failed(why: string): MediaPeerError {
  return new MediaPeerError('FFMPEG_FAILED', why);
}
