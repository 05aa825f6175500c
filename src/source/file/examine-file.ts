/** Looks into a file: what ffprobe finds, and which of its streams can really be played. */
import { messageOf } from '../../base/errors.js';
import { NOT_EXAMINED, probe, whyColourNotShown, type FfmpegDeps, type ProbeResult } from '../../ffmpeg/index.js';
import { describeContent } from '../delivery.js';
import { trySound } from './sound-trial.js';
import { tryDecoding, type TrialInput } from './trial.js';

const TRIAL_TIMEOUT_MS = 10_000;
/** Streams that are tried before a file is given up. */
const MAX_TRIALS = 4;

/** How long it is looked. */
interface LookOptions {
  /** For each look. Default 10000 ms. */
  readonly timeoutMs?: number;
  /** Ends it at once; whoever aborts it does not heed what was found. */
  readonly signal?: AbortSignal;
}

/** What is in the file; never rejects. What must be transcoded is tried out, because its codec may be unknown: the best stream that can be decoded is played. */
export async function examineFile(
  file: string,
  sizeBytes: number,
  { tools, ledger }: Pick<FfmpegDeps, 'tools' | 'ledger'>,
  { timeoutMs = TRIAL_TIMEOUT_MS, signal }: LookOptions = {},
): Promise<ProbeResult> {
  try {
    const running = { ledger, ...(signal && { signal }) };
    const content = await probe(tools, file, sizeBytes, { ...running, timeoutMs });
    let problem: string | undefined;
    for (const video of content.video ? [content.video, ...(content.otherVideos ?? [])].slice(0, MAX_TRIALS) : []) {
      const played = { ...content, video };
      const { plan } = describeContent(played);
      const trouble =
        whyColourNotShown(video, tools) ??
        (plan?.delivery === 'transcode' ? await whyNotDecoded({ file, tools, ...running, timeoutMs }, plan.videoIndex) : undefined);
      if (trouble === undefined) return await trySound(played, { file, tools, ...running });
      if (trouble === NOT_EXAMINED) return { ...played, problem: trouble, isUnsettled: true };
      problem ??= trouble;
    }
    return problem === undefined ? content : { ...content, problem };
  } catch (error) {
    return unplayable(`it could not be examined: ${messageOf(error)}`);
  }
}

/** What is known of a file of which nothing is. @param problem in words */
export function unplayable(problem: string): ProbeResult {
  return { container: '', durationS: undefined, video: undefined, audio: undefined, problem };
}

/** Decodes the first picture; why that fails, in words, or undefined. */
async function whyNotDecoded(input: TrialInput, videoIndex: number): Promise<string | undefined> {
  const { gaveFrames, output, complaints } = await tryDecoding(input, videoIndex, ['-frames:v', '1']);
  if (gaveFrames) return undefined;
  if (output.interruption) return NOT_EXAMINED;
  const last = complaints.trim().split('\n').at(-1)?.trim();
  return `its video cannot be decoded${last ? ` (${last})` : ''}`;
}
