/**
 * Finds ffmpeg and ffprobe and asks once what they can do. Order: the configured path, the executable on PATH,
 * the npm packages that ship one (4.1 of 2018: complete and offline, but old), so a machine without ffmpeg works.
 */
import { access, chmod, constants, copyFile, mkdtemp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { MediaPeerError, messageOf } from '../base/errors.js';
import type { FfmpegTools } from './deps.js';
import { runTool, type ToolOutput } from './run-tool.js';

/** What cannot be done without. */
const REQUIRED_ENCODERS = ['libx264', 'libvpx', 'libopus'] as const;

/** A cold disk and a busy machine are waited for. */
const ANSWER_MS = 30_000;

const WHAT_TO_DO =
  'install ffmpeg with libx264, libvpx and libopus (Debian, Ubuntu: apt install ffmpeg; macOS: brew install ffmpeg), or set FFMPEG_PATH and FFPROBE_PATH';

/** Finds both programs. Throws `FFMPEG_NOT_FOUND`, saying what was tried and what to install. */
export async function findFfmpeg(
  config: { readonly ffmpegPath?: string | undefined; readonly ffprobePath?: string | undefined } = {},
): Promise<FfmpegTools> {
  const [ffmpeg, ffprobe] = await Promise.all([
    findProgram('ffmpeg', config.ffmpegPath, '@ffmpeg-installer/ffmpeg'),
    findProgram('ffprobe', config.ffprobePath, '@ffprobe-installer/ffprobe'),
  ]);
  const listing = await ask(ffmpeg.file, ['-hide_banner', '-encoders'], ffmpeg.file);
  const encoders = new Set(listing.stdout.split('\n').flatMap((line) => /^ [VAS][A-Z.]{5} (\S+)/.exec(line)?.[1] ?? []));
  const filters = new Set(
    (await ask(ffmpeg.file, ['-hide_banner', '-filters'], ffmpeg.file)).stdout
      .split('\n')
      .flatMap((line) => /^ [A-Z.]{2,3} (\S+)/.exec(line)?.[1] ?? []),
  );
  const missing = REQUIRED_ENCODERS.filter((name) => !encoders.has(name));
  if (missing.length > 0) {
    throw new MediaPeerError(
      'FFMPEG_NOT_FOUND',
      `${ffmpeg.file} (${ffmpeg.version}) lacks the encoders ${missing.join(', ')}; ${WHAT_TO_DO}`,
    );
  }
  return {
    ffmpegPath: ffmpeg.file,
    ffprobePath: ffprobe.file,
    version: ffmpeg.version,
    encoders,
    canMapTones: ['zscale', 'tonemap'].every((name) => filters.has(name)),
    passTimestamps: [isAtLeast(ffmpeg.version, 5, 1, 107_000) ? '-fps_mode' : '-vsync', 'passthrough'],
    rtspTimeout: { ffmpeg: rtspTimeout(ffmpeg.version), ffprobe: rtspTimeout(ffprobe.version) },
    readInRealTime: ['-re', ...(isAtLeast(ffmpeg.version, 6, 1, 112_000) ? ['-readrate_initial_burst', '0.001'] : [])],
  };
}

interface Program {
  readonly file: string;
  readonly version: string;
}

async function findProgram(name: 'ffmpeg' | 'ffprobe', configured: string | undefined, packageName: string): Promise<Program> {
  const variable = `${name.toUpperCase()}_PATH`;
  if (configured !== undefined) return runVersion(configured, `${variable} '${configured}'`);
  const tried: string[] = [];
  try {
    return await runVersion(name, `${name} on PATH`);
  } catch (error) {
    tried.push(messageOf(error));
  }
  try {
    return await runVersion(await packagedProgram(packageName), `the package ${packageName}`);
  } catch (error) {
    tried.push(`${packageName}: ${messageOf(error)}`);
  }
  throw new MediaPeerError('FFMPEG_NOT_FOUND', `no usable ${name} was found (${tried.join('; ')}); ${WHAT_TO_DO}`);
}

async function runVersion(file: string, where: string): Promise<Program> {
  const output = await ask(file, ['-version'], where);
  const version = /^ff(?:mpeg|probe) version (\S+)/.exec(output.stdout)?.[1];
  if (version === undefined) {
    throw new MediaPeerError(
      'FFMPEG_NOT_FOUND',
      `${where} is not ffmpeg: '-version' said '${(output.stdout || output.stderr).slice(0, 100).trim()}'; ${WHAT_TO_DO}`,
    );
  }
  return { file, version };
}

/** A program that was ended, or that a busy machine had no time for, has said nothing about what it can do. */
async function ask(file: string, args: readonly string[], where: string): Promise<ToolOutput> {
  const output = await runTool(file, args, { timeoutMs: ANSWER_MS });
  if (output.signal !== null)
    throw new MediaPeerError('FFMPEG_FAILED', `${where} was ended by ${output.signal} while it was asked what it can do; start again`);
  if (output.cut)
    throw new MediaPeerError(
      'FFMPEG_FAILED',
      `${where} did not say within ${ANSWER_MS / 1000} s what it can do: the machine is too busy, or it waits for something; start again`,
    );
  return output;
}

/** Installed without install scripts, the packaged ffprobe lacks its execute bit. */
async function packagedProgram(packageName: string): Promise<string> {
  const shipped = (createRequire(import.meta.url)(packageName) as { readonly path: string }).path;
  const isExecutable = (file: string): Promise<boolean> =>
    access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
  if (await isExecutable(shipped)) return shipped;
  await chmod(shipped, 0o755).catch(() => undefined);
  if (await isExecutable(shipped)) return shipped;
  const copy = path.join(await mkdtemp(path.join(os.tmpdir(), 'sightline-')), path.basename(shipped));
  await copyFile(shipped, copy);
  await chmod(copy, 0o755);
  return copy;
}

function rtspTimeout(version: string): '-timeout' | '-stimeout' {
  return isAtLeast(version, 5, 0, 102_000) ? '-timeout' : '-stimeout';
}

/**
 * Whether a version is at least `major.minor`. Development builds count their commits instead (`N-107000-g...`):
 * `commits` is about where that release was made.
 */
function isAtLeast(version: string, major: number, minor: number, commits: number): boolean {
  const built = /^N-(\d+)/.exec(version);
  if (built) return Number(built[1]) >= commits;
  const release = /^n?(\d+)\.(\d+)/.exec(version);
  if (!release) return true;
  const [foundMajor, foundMinor] = [Number(release[1]), Number(release[2])];
  return foundMajor > major || (foundMajor === major && foundMinor >= minor);
}
