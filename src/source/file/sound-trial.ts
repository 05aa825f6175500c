/** Sound is optional: it is tried before it is played, and pictures never wait for sound that cannot be played. */
import type { AudioStreamInfo, ProbeResult } from '../../ffmpeg/index.js';
import { STEREO_OPUS } from '../media-run.js';
import { tryDecoding, type TrialInput } from './trial.js';

/** Of 20 ms each. */
const TRIAL_PACKETS = 25;
/** Tracks that are tried before a file is played without sound. */
const MAX_TRIALS = 4;

/** The first of its tracks that can be played, and how; or none, and why. */
export async function trySound(found: ProbeResult, input: TrialInput): Promise<ProbeResult> {
  let problem = found.audioProblem;
  for (const audio of found.audio ? [found.audio, ...(found.otherAudios ?? [])].slice(0, MAX_TRIALS) : []) {
    const tried = await tryTrack(audio, input);
    if (typeof tried !== 'string') return { ...found, audio: tried, audioProblem: undefined };
    problem ??= tried;
  }
  return { ...found, audio: undefined, audioProblem: problem };
}

/** The track with what makes two channels of it, or why that is impossible. */
async function tryTrack(audio: AudioStreamInfo, input: TrialInput): Promise<AudioStreamInfo | string> {
  let problem: string | undefined;
  for (const mix of [undefined, ...stereoMix(audio.channels ?? 0)]) {
    const filters = [...(mix === undefined ? [] : [mix]), 'aresample=async=1000'];
    const options = ['-af', filters.join(','), ...STEREO_OPUS, '-frames:a', String(TRIAL_PACKETS)];
    const { gaveFrames, output, complaints } = await tryDecoding(input, audio.index, options);
    // A busy machine is no fault of the sound; a run that fails of it continues without.
    if (output.cut || output.interruption || gaveFrames) return { ...audio, mix };
    problem ??=
      /^(.*(?:rror|nvalid|nsupported|nknown|ailed).*)$/m
        .exec(complaints)?.[1]
        ?.replace(/^\[[^\]]*\]\s*/, '')
        .trim() ?? 'it holds nothing';
  }
  const channels = audio.channels === undefined ? '' : `, ${audio.channels} channel${audio.channels === 1 ? '' : 's'}`;
  return `its sound (${audio.codec || 'unknown codec'}${channels}) cannot be played: ${problem}`;
}

/** Every second channel to each side: for so many that nobody says what they are. */
function stereoMix(channels: number): string[] {
  if (channels <= 2 || channels > 64) return [];
  const side = (first: number): string =>
    Array.from({ length: Math.ceil((channels - first) / 2) }, (_unused, i) => `c${first + 2 * i}`).join('+');
  return [`pan=stereo|c0<${side(0)}|c1<${side(1)}`];
}
