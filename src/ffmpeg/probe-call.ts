/** One call of a camera by ffprobe: what it says is read while it runs, so that a camera that answers may take its time. */
import { MediaPeerError } from '../base/errors.js';
import { inWords, lastErrors } from './camera-words.js';
import type { FfmpegDeps } from './deps.js';
import { parseListing, type Listing } from './listing.js';
import { isRtsp, liveInputOptions, type LiveInput } from './live-input.js';
import { runTool } from './run-tool.js';
import { sdpIn } from './sdp-sound.js';

/** What running ffprobe needs. */
export type ProbeDeps = Pick<FfmpegDeps, 'tools' | 'ledger' | 'clock'>;

/** How long a camera may take to answer. */
const ANSWER_MS = 8_000;
/** How long one that has answered may take to show a picture: twice the 12 s between the pictures of slow ones, and more. */
const PICTURE_MS = 40_000;
/** ffmpeg says what happened before it is cut off. */
const IO_MARGIN_MS = 1_000;
const MAX_SAID_CHARS = 64 * 1024;

/** How it is listened to. */
export interface Listening {
  /** Options of ffprobe; those that the operator gave hold. */
  readonly analysis: Readonly<Record<string, string>>;
  /** May take long although nothing was announced: that it is connected is known from a call before. */
  readonly isPatient: boolean;
}

/** What a call brought. */
export interface CallResult {
  /** Undefined where nothing was found. */
  readonly listing: Listing | undefined;
  /** What an RTSP camera announced. */
  readonly sdp: string | undefined;
  /** Why nothing was found, in words and without credentials. */
  readonly failure: string;
  /** It was connected, and nothing came. */
  readonly isSlow: boolean;
  /** How long it took, from what was announced on. */
  readonly tookMs: number;
}

/** @throws MediaPeerError FFMPEG_FAILED when the signal is aborted */
export async function callCamera(
  input: LiveInput,
  { analysis, isPatient }: Listening,
  { tools, ledger, clock }: ProbeDeps,
  signal: AbortSignal,
): Promise<CallResult> {
  const throwIfGivenUp = (): void => {
    if (signal.aborted) throw new MediaPeerError('FFMPEG_FAILED', 'the connection was given up');
  };
  throwIfGivenUp();
  let said = '';
  let sinceMs = clock.now();
  const late = new AbortController();
  const mayTakeLong = (): boolean => isPatient || (isRtsp(input.kind) && sdpIn(said) !== undefined);
  const answerTimer = clock.after(ANSWER_MS, () => !mayTakeLong() && late.abort());
  const ioTimeoutMs = (isPatient || isRtsp(input.kind) ? PICTURE_MS : ANSWER_MS) - IO_MARGIN_MS;
  const options = Object.entries(analysis).flatMap(([name, value]) => (input.options[name] === undefined ? [`-${name}`, value] : []));
  const source = liveInputOptions(input, tools.rtspTimeout.ffprobe, { ioTimeoutMs, media: 'video' });
  const args = [
    '-hide_banner',
    '-v',
    'level+verbose',
    ...options,
    ...source,
    '-of',
    'json',
    '-show_format',
    '-show_streams',
    input.address,
  ];
  const onStderr = (text: string): void => {
    if (said.length > MAX_SAID_CHARS) return;
    const wasAnnounced = sdpIn(said) !== undefined;
    said += text;
    if (!wasAnnounced && sdpIn(said) !== undefined) sinceMs = clock.now();
  };
  try {
    const output = await runTool(tools.ffprobePath, args, {
      ledger,
      timeoutMs: PICTURE_MS,
      signal: AbortSignal.any([signal, late.signal]),
      onStderr,
    });
    throwIfGivenUp();
    const listing = output.exitCode === 0 && !output.cut ? parseListing(output.stdout) : undefined;
    const isConnected = /successfully connected/i.test(said);
    const isLate = output.cut || /timed out/i.test(lastErrors(output.stderr));
    return {
      listing,
      sdp: sdpIn(said),
      failure: isLate ? whyLate(isConnected, sdpIn(said) !== undefined) : inWords(explain(output.stderr, input)),
      isSlow: isLate && isConnected,
      tookMs: clock.now() - sinceMs,
    };
  } finally {
    answerTimer.cancel();
  }
}

function whyLate(isConnected: boolean, isAnnounced: boolean): string {
  if (isAnnounced) return `it announces video, but sends no frame within ${PICTURE_MS / 1000} s`;
  return isConnected ? 'it accepts the connection, but does not answer' : `nothing answers at that address within ${ANSWER_MS / 1000} s`;
}

/** ffprobe's last errors, without the address. */
function explain(stderr: string, input: LiveInput): string {
  return lastErrors(input.redact(stderr.replaceAll(input.address, ''))) || 'it cannot be opened';
}
