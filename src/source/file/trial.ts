/** A short run of ffmpeg that shows whether a stream can be decoded. */
import { runTool, SAFE_INPUT, type FfmpegDeps, type ToolOutput } from '../../ffmpeg/index.js';

/** What is tried, and for how long. */
export type TrialInput = {
  /** Path of the file. */
  readonly file: string;
  /** Until it is ended. Default 10000 ms. */
  readonly timeoutMs?: number;
  /** Ends it at once. */
  readonly signal?: AbortSignal;
} & Pick<FfmpegDeps, 'tools' | 'ledger'>;

/** What came of it. */
export interface Trial {
  /** True where it gave at least one frame. */
  readonly gaveFrames: boolean;
  /** What the program said. */
  readonly output: ToolOutput;
  /** What ffmpeg complained of, without the name of the file. */
  readonly complaints: string;
}

/** Decodes frames of a stream. @param streamIndex as ffprobe counts @param options for the output, with how many frames */
export async function tryDecoding(
  { file, tools, timeoutMs = 10_000, ...running }: TrialInput,
  streamIndex: number,
  options: readonly string[],
): Promise<Trial> {
  const input = ['-nostdin', '-v', 'error', ...SAFE_INPUT, '-threads', '1', '-i', file, '-map', `0:${streamIndex}`];
  const output = await runTool(tools.ffmpegPath, [...input, ...options, '-f', 'framecrc', 'pipe:1'], { ...running, timeoutMs });
  const gaveFrames = output.stdout.split('\n').some((line) => /^\d/.test(line));
  return { gaveFrames, output, complaints: output.stderr.replaceAll(file, '') };
}
