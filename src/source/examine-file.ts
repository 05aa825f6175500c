/** Looks into a file: what ffprobe finds, and for what must be decoded whether that can be done at all. */
import { messageOf } from '../errors.js';
import { probe, runTool, SAFE_INPUT, type FfmpegDeps, type FfmpegTools, type ProbeResult } from '../ffmpeg/index.js';
import type { ResourceLedger } from '../resources.js';
import { describeContent } from './delivery.js';

const TRIAL_TIMEOUT_MS = 10_000;

/** What is in the file; never rejects. A file that must be transcoded is tried out, because its codec may be unknown. */
export async function examineFile(file: string, sizeBytes: number, { tools, ledger }: Pick<FfmpegDeps, 'tools' | 'ledger'>): Promise<ProbeResult> {
  try {
    const content = await probe(tools, file, sizeBytes, ledger);
    const { plan } = describeContent(content);
    if (plan?.delivery !== 'transcode') return content;
    const problem = await whyNotDecoded(tools, file, plan.videoIndex, ledger);
    return problem === undefined ? content : { ...content, problem };
  } catch (error) {
    return { container: '', durationS: undefined, video: undefined, audio: undefined, problem: `it could not be examined: ${messageOf(error)}` };
  }
}

/** Decodes the first picture; why that fails, in words, or undefined. */
async function whyNotDecoded(tools: FfmpegTools, file: string, videoIndex: number, ledger: ResourceLedger): Promise<string | undefined> {
  const args = ['-nostdin', '-v', 'error', ...SAFE_INPUT, '-threads', '1', '-i', file, '-map', `0:${videoIndex}`, '-frames:v', '1', '-f', 'framecrc', 'pipe:1'];
  const output = await runTool(tools.ffmpegPath, args, { ledger, timeoutMs: TRIAL_TIMEOUT_MS });
  const gavePicture = output.stdout.split('\n').some((line) => /^\d/.test(line));
  if (gavePicture) return undefined;
  const last = output.stderr.trim().split('\n').at(-1)?.replaceAll(file, '').trim();
  return `its video cannot be decoded${last ? ` (${last})` : ''}`;
}
