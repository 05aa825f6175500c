/** What a camera sends, by ffprobe: it is called, listened to for a moment, and hung up on. */
import { MediaPeerError } from '../errors.js';
import type { FfmpegDeps } from './deps.js';
import { isKnown, parseListing, videoStream, type ListedStream, type Listing } from './listing.js';
import { liveInputOptions, type LiveInput } from './live-input.js';
import type { PacketInfo } from './packets.js';
import type { ProbeResult } from './probe.js';
import { runTool } from './run-tool.js';

/** How long a camera may take to answer and to show what it sends. */
const LIVE_PROBE_TIMEOUT_MS = 8_000;
/**
 * How much of it is listened to. MPEG-TS is listened to for all of that time, because another stream may begin; so the
 * long one, for cameras that show the size of their pictures with a keyframe alone, is for a second call.
 */
const ANALYSE_US = [1_500_000, 5_000_000] as const;

/** Less is not worth a call. */
const MIN_CALL_MS = 1_000;

type ProbeDeps = Pick<FfmpegDeps, 'tools' | 'ledger' | 'clock'>;

/** Nothing is known of packets that have not come yet: a running feed watches over them. */
const UNSEEN: PacketInfo = { startsWithKeyframe: true, startsDecodable: true, beginS: 0, firstKeyframeS: 0, longestIntervalS: 0, longestMovingS: 0, longestStillS: 0, peakFps: undefined, spanS: undefined, count: 1 };

/**
 * Calls it. Takes 8 s at most, and ends at once when the signal is aborted.
 * @throws MediaPeerError FFMPEG_FAILED: why there is no answer, or no picture in it; without credentials
 */
export async function probeLive(input: LiveInput, deps: ProbeDeps, signal: AbortSignal): Promise<ProbeResult> {
  const endsAtMs = deps.clock.now() + LIVE_PROBE_TIMEOUT_MS;
  let failure = failed('it was not called');
  for (const analyseUs of ANALYSE_US) {
    const timeoutMs = endsAtMs - deps.clock.now();
    if (timeoutMs < MIN_CALL_MS) break;
    const listing = await list(input, { analyseUs, timeoutMs, deps, signal });
    const found = resultOf(listing);
    if (!(found instanceof MediaPeerError)) return found;
    failure = found;
  }
  throw failure;
}

interface Call {
  readonly analyseUs: number;
  readonly timeoutMs: number;
  readonly deps: ProbeDeps;
  readonly signal: AbortSignal;
}

/** @throws MediaPeerError when it does not answer */
async function list(input: LiveInput, { analyseUs, timeoutMs, deps: { tools, ledger }, signal }: Call): Promise<Listing> {
  const analyse = input.options['analyzeduration'] === undefined ? ['-analyzeduration', String(analyseUs)] : [];
  const args = ['-v', 'error', ...analyse, ...liveInputOptions(input, tools.rtspTimeout.ffprobe), '-of', 'json', '-show_format', '-show_streams', input.address];
  const throwIfGivenUp = (): void => {
    if (signal.aborted) throw failed('the call was given up');
  };
  throwIfGivenUp();
  const output = await runTool(tools.ffprobePath, args, { ledger, timeoutMs: Math.ceil(timeoutMs), signal });
  throwIfGivenUp();
  const listing = output.exitCode === 0 ? parseListing(output.stdout) : undefined;
  if (listing) return listing;
  throw failed(output.cut ? `it did not show within ${LIVE_PROBE_TIMEOUT_MS / 1000} s what it sends` : explain(output.stderr, input));
}

/** What a listing tells, or what it lacks. */
function resultOf(listing: Listing): ProbeResult | MediaPeerError {
  const video = listing.streams.find(({ codec_type }) => codec_type === 'video');
  if (!video) return failed('it answers, but sends no video');
  if (!isKnown(video.codec_name)) return failed('its video codec is unknown to ffmpeg');
  if (!video.width || !video.height) return failed('its pictures could not be understood in time: no size is known');
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
