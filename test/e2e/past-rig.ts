/** A server with a past: a recording of five minutes with a gap, a file that is watched, and a zone at which things happen. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { ChromiumHarness } from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';
import { makeNumberedClip } from '../helpers/numbered-clip.js';
import { framesOfClip, makeRecording } from '../helpers/recording.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makeSeeingFixture, temporaryFolder, type Folder } from './fixtures.js';

/** Frames of the recording: 30 a second, a keyframe every 2 s. */
const COUNT = 9000;
const CLIP_S = 40;
/** Frames that are missing. */
export const GAP = [3000, 3600] as const;

/** What tests use. */
export interface Past {
  readonly server: ServerProcess;
  readonly browser: ChromiumHarness;
  /** Unix seconds of a frame of `street`. */
  readonly at: (frame: number) => number;
  /** A detector sees something in `seen`. */
  readonly canSee: boolean;
  close(): Promise<void>;
}

/** Starts it. @param env more variables */
export async function openPast(env: Readonly<Record<string, string>> = {}): Promise<Past> {
  const folder: Folder = await temporaryFolder();
  const recordDir = path.join(folder.path, 'recordings');
  mkdirSync(recordDir);
  const clip = path.join(folder.videos, 'street.mp4');
  await makeNumberedClip(clip, { seconds: CLIP_S, keyframeS: 2 });
  const fromMs = Math.floor(Date.now() / 1000) * 1000 - 1_800_000;
  const frames = await framesOfClip(clip);
  await makeRecording({ recordDir, sourceId: 'street', frames, fromMs, count: COUNT, gaps: [GAP], seenEvery: 10 });
  const seeing = await makeSeeingFixture(folder);
  const server = await startServerProcess({
    UPLOAD_DIR: folder.videos,
    RECORD_DIR: recordDir,
    MODEL: seeing?.model ?? 'none',
    LADDER: 'off',
    IDLE_GRACE: '0',
    ...env,
  });
  await eventually(async () => (await fetch(new URL('/recordings/street', server.url))).ok, 15_000, 'the index of the recording');
  await eventually(
    async () => {
      const { results } = (await (await fetch(new URL('/search?label=number&limit=500', server.url))).json()) as {
        readonly results: unknown[];
      };
      return results.length >= 400;
    },
    30_000,
    'what was seen in it',
  );
  const browser = await ChromiumHarness.shared();
  return {
    server,
    browser,
    at: (frame) => (fromMs + (frame * 1000) / 30) / 1000,
    canSee: seeing !== undefined,
    close: async () => {
      await browser.close();
      await server.close();
      await folder.remove();
    },
  };
}
