/**
 * One ffmpeg process that plays a file over and over; its stamps begin near zero. `FileFeed` keeps one running.
 *
 * The loop is a list that names the file many times (ffmpeg's concat), with the exact time of a pass, because
 * `-stream_loop` takes the length of the sound for the length of a pass and then steps back in files whose
 * pictures last longer. Pictures and sound are read through two inputs: many files hold a second of the one before
 * a second of the other, and sound read in such lumps would arrive a second late.
 *
 * Where a file's clock restarts or jumps, ffmpeg cannot read in real time: it reads what it is let to, and a filter makes
 * the times again.
 */
import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SAFE_LIST_INPUT, type ClockJumps, type FfmpegDeps, type ProcessPort } from '../../ffmpeg/index.js';
import type { FramePool } from '../../media/index.js';
import type { FeedPlan } from '../description.js';
import { openMediaRun, uprightPictures, type Inputs, type MediaRun, type RunSink } from '../media-run.js';
import { straightTimes, WIDE_PASS_S } from './straight-times.js';

const MAX_LIST_S = 12 * 3600;
const MAX_PASSES = 5_000;
/** Times stay exact. */
const MAX_WIDE_PASSES = 1_000;
/** 50 packets of sound each. */
const MAX_READ_AHEAD_S = 60;
/** Without a picture, beside the time that one stands. */
const USUAL_SILENCE_MS = 10_000;
/** The first picture in each sixtieth of a second. */
const AT_MOST_60 = "select='isnan(prev_selected_t)+gt(floor(t*60+0.1),floor(prev_selected_t*60+0.1))'";

/** What is played, and how. */
export interface FeedRunSpec {
  /** For the log: whose process it is. */
  readonly owner: string;
  /** Path of the file. */
  readonly file: string;
  /** Which streams, and what is done to them. */
  readonly plan: FeedPlan;
  /** Buffers of decoded frames. */
  readonly pool: FramePool;
}

/** Starts playing. Throws only when its socket or its list cannot be made. */
export function openFeedRun({ owner, file, plan, pool }: FeedRunSpec, deps: FfmpegDeps, sink: RunSink): Promise<MediaRun> {
  const inputs = async (folder: string): Promise<Inputs> => {
    const address = await writePasses(folder, file, plan);
    const input = (pace: readonly string[]): ProcessPort => ({
      options: ['-threads', '1', '-noautorotate', ...pace, ...SAFE_LIST_INPUT],
      address,
    });
    const pictures = input(plan.jumps ? ['-copyts'] : deps.tools.readInRealTime);
    if (plan.audioIndex === undefined) return [pictures];
    return [pictures, isSoundReadAhead(plan) && !plan.jumps ? input([]) : pictures];
  };
  // Left alone, the times of pictures are rounded to the rate that the file claims to have.
  const pictures = {
    stream: `0:${plan.videoIndex}`,
    filters: [...straight('setpts', plan.jumps?.video, plan), ...uprightPictures(plan, plan.isTooFast ? [AT_MOST_60] : [])],
    options: ['-enc_time_base', '1:90000'],
  };
  // Evens out what the passes overlap or lack.
  const sound =
    plan.audioIndex === undefined
      ? undefined
      : {
          stream: `1:${plan.audioIndex}`,
          filter: [
            ...straight('asetpts', plan.jumps?.audio, plan),
            ...(plan.audioMix === undefined ? [] : [plan.audioMix]),
            'aresample=async=1000',
          ].join(','),
        };
  return openMediaRun({ owner, plan, pool, inputs, pictures, sound, silenceMs: USUAL_SILENCE_MS + plan.longestFrameS * 1000 }, deps, sink);
}

/**
 * Whether sound is read as it is needed beside the pictures, and handed on at its times by whoever takes it. What reads in
 * real time waits where a pass has no sound, and ffmpeg lets pictures wait for the output that is furthest behind. Beside
 * a picture that stands for long, sound would be read ahead for as long.
 */
export function isSoundReadAhead({ jumps, longestFrameS }: FeedPlan): boolean {
  return jumps !== undefined || longestFrameS <= MAX_READ_AHEAD_S;
}

function straight(filter: 'setpts' | 'asetpts', jumps: ClockJumps | undefined, { passS }: FeedPlan): string[] {
  return jumps ? [`${filter}='${straightTimes(jumps, passS)}'`] : [];
}

/** Writes the list; returns its address. */
async function writePasses(folder: string, file: string, plan: FeedPlan): Promise<string> {
  // A list knows no names with line breaks; a link of our own has none. Its ending helps ffmpeg to tell the container.
  const link = `video${/\.[A-Za-z0-9]{1,8}$/.exec(file)?.[0] ?? ''}`;
  const list = path.join(folder, 'passes');
  await symlink(file, path.join(folder, link));
  await writeFile(list, passList(link, plan));
  return list;
}

/** A list for half a day, in the format of ffmpeg's concat demuxer; then the process ends and another one follows. @param name of the file beside the list. */
function passList(name: string, plan: FeedPlan): string {
  const passes = Math.ceil(Math.min(plan.jumps ? MAX_WIDE_PASSES : MAX_PASSES, MAX_LIST_S / plan.passS));
  const pass = [
    `file '${name}'`,
    ...(plan.beginS === undefined ? [] : [`inpoint ${plan.beginS.toFixed(6)}`]),
    `duration ${(plan.jumps ? WIDE_PASS_S : plan.passS).toFixed(6)}`,
  ];
  return `ffconcat version 1.0\n${`${pass.join('\n')}\n`.repeat(passes)}`;
}
