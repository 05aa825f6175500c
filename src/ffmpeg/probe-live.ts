/**
 * What a camera sends, by ffprobe: it is connected, read until its first picture is known, and disconnected. A camera
 * may send one picture in 12 s, so its rate is not waited for: it shows while the source runs. RTSP cameras are asked for
 * pictures alone, and what they announce says which sound there is, so a track of sound that is broken keeps nobody from
 * the pictures.
 */
import { MediaPeerError } from '../base/errors.js';
import { rankAudios, rankVideos, type Candidate } from './choose-streams.js';
import { isKnown, videoStream, type ListedStream, type Listing } from './listing.js';
import { isRtsp, type LiveInput } from './live-input.js';
import type { PacketInfo } from './packets.js';
import type { ProbeResult } from './probe.js';
import { callCamera, type CallResult, type Listening, type ProbeDeps } from './probe-call.js';
import { announcedSound } from './sdp-sound.js';

/** What a camera was found to send. */
export interface LiveFinding extends ProbeResult {
  /** Which of its video tracks is the picture, from 0: `0:v:<at>`. */
  readonly videoAt: number;
  /** Which of its audio tracks is the sound: `0:a:<at>`; undefined where there is none to be heard. */
  readonly audioAt: number | undefined;
  /** ffmpeg's name of the format that it had to be told. */
  readonly format: string | undefined;
  /** Bits per second of all of it, or of its video, as it says; undefined where it does not. */
  readonly statedBps: number | undefined;
  /** How long its first picture was waited for, ms: about the time between two. */
  readonly pictureAfterMs: number;
}

/** Until the first picture is there. */
const FIRST_PICTURE: Listening = { analysis: { probesize: '32', fpsprobesize: '0' }, isPatient: false };
/** A container is looked for first; MPEG-TS is listened to for all of that time, because another stream may begin. */
const SHORT: Listening = { analysis: { analyzeduration: '1500000' }, isPatient: false };
/** For cameras that show the size of their pictures with a keyframe alone. */
const LONG: Listening = { analysis: { analyzeduration: '5000000' }, isPatient: false };
const LONG_RTSP: Listening = { analysis: { analyzeduration: '30000000', fpsprobesize: '0' }, isPatient: true };
/** For one that is connected and sent nothing yet. */
const SLOW: Listening = { analysis: { analyzeduration: '1', fpsprobesize: '0' }, isPatient: true };
/** Finds JPEG pictures in whatever is around them: parts that are not told apart as they should be (many ESP32 cameras). */
const BARE_JPEG = 'mjpeg';

/** Nothing is known of packets that have not come yet: a running feed watches over them. */
const UNSEEN: PacketInfo = {
  startsWithKeyframe: true,
  startsDecodable: true,
  beginS: 0,
  firstKeyframeS: 0,
  longestIntervalS: 0,
  longestMovingS: 0,
  longestFrameS: 0,
  peakFps: undefined,
  spanS: undefined,
  count: 1,
};

/**
 * Calls it. Takes 8 s where it does not answer, 40 s and more where it answers and no picture comes; ends at once when the
 * signal is aborted.
 * @throws MediaPeerError FFMPEG_FAILED: why there is no answer, or no picture in it, in words and without credentials
 */
export async function probeLive(input: LiveInput, deps: ProbeDeps, signal: AbortSignal): Promise<LiveFinding> {
  let failure = 'it was not connected';
  let call: CallResult | undefined;
  for (let next: NextCall | undefined = firstCall(input); next; next = nextCall(input, next, call)) {
    call = await callCamera(next.input, next.listening, deps, signal);
    const found = call.listing ? resultOf(call.listing, next.input, input, call) : call.failure;
    if (typeof found !== 'string') return found;
    // What was said of the format that it is not says nothing.
    if (next.input.format !== BARE_JPEG || input.format === BARE_JPEG) failure = found;
  }
  throw new MediaPeerError('FFMPEG_FAILED', failure);
}

interface NextCall {
  readonly input: LiveInput;
  readonly listening: Listening;
}

function firstCall(input: LiveInput): NextCall {
  return { input, listening: isRtsp(input.kind) ? FIRST_PICTURE : SHORT };
}

/** What is tried after a call that brought no picture; undefined where nothing is left. */
function nextCall(input: LiveInput, { input: called, listening }: NextCall, result: CallResult | undefined): NextCall | undefined {
  if (!result || listening.isPatient || listening === LONG) return undefined;
  if (isRtsp(input.kind)) return result.listing && { input, listening: LONG_RTSP };
  if (result.isSlow) return { input, listening: SLOW };
  const isHttp = input.kind === 'http' || input.kind === 'https';
  const isOther = result.listing ? result.listing.format?.format_name === 'mpjpeg' : /not understood|not allowed/.test(result.failure);
  if (called === input && isHttp && isOther && input.format !== BARE_JPEG)
    return { input: { ...input, format: BARE_JPEG }, listening: SHORT };
  return result.listing && called === input ? { input, listening: LONG } : undefined;
}

/** What a listing tells, or in words what it lacks. */
function resultOf(listing: Listing, called: LiveInput, input: LiveInput, { sdp, tookMs }: CallResult): LiveFinding | string {
  const candidates = listing.streams.map((stream): Candidate => ({ stream, count: 1 }));
  const [video] = rankVideos(candidates).map(({ stream }) => stream);
  if (!video?.width || !video.height) return whyNoVideo(listing);
  const sound = sdp === undefined ? listedSound(listing, rankAudios(candidates, video, listing)) : announcedSound(sdp);
  return {
    container: listing.format?.format_name ?? '',
    durationS: durationOf(listing.format?.duration, video),
    video: videoStream(video, video.width, video.height, UNSEEN),
    audio: sound.sound && { index: sound.sound.at, codec: sound.sound.codec },
    audioProblem: sound.reason,
    problem: undefined,
    videoAt: tracksOf(listing, 'video').indexOf(video),
    audioAt: sound.sound?.at,
    format: called === input ? undefined : called.format,
    statedBps: [listing.format?.bit_rate, video.bit_rate].map(Number).find((value) => Number.isFinite(value) && value > 0),
    pictureAfterMs: tookMs,
  };
}

function tracksOf({ streams }: Listing, kind: 'video' | 'audio'): ListedStream[] {
  return streams.filter(({ codec_type }) => codec_type === kind);
}

function whyNoVideo(listing: Listing): string {
  const videos = tracksOf(listing, 'video');
  if (videos.length === 0) return 'it answers, but sends no video';
  if (!videos.some(({ codec_name }) => isKnown(codec_name))) return 'its video codec is unknown to ffmpeg';
  return 'its video could not be identified in time: no size is known';
}

function listedSound(listing: Listing, [best]: readonly Candidate[]): ReturnType<typeof announcedSound> {
  const tracks = tracksOf(listing, 'audio');
  if (best) return { sound: { at: tracks.indexOf(best.stream), codec: best.stream.codec_name ?? '' }, reason: undefined };
  return { sound: undefined, reason: tracks.length > 0 ? 'the codec of its sound is unknown to ffmpeg' : undefined };
}

/** Of a recording; undefined for what has no end. */
function durationOf(text: string | undefined, { duration }: ListedStream): number | undefined {
  return [text, duration].map(Number).find((value) => Number.isFinite(value) && value > 0);
}
