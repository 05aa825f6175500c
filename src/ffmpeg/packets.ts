/** The packets of a file as ffprobe lists them: what no header tells, or tells wrongly. */

/** Packets of one stream, in the order of the file. Times in seconds, as the file counts them. */
export class PacketLog {
  /** When each is shown; the time of decoding where the file does not say. */
  readonly shownS: number[] = [];
  /** When each is decoded; the time it is shown where the file does not say. */
  readonly decodedS: number[] = [];
  /** How long it lasts; 0 where the file does not say. */
  readonly durationS: number[] = [];
  /** Whether each packet is a keyframe. */
  readonly isKey: boolean[] = [];
  /** False where it is decoded, but not shown. */
  readonly isShown: boolean[] = [];
  /** Its place among all packets of the file. */
  readonly line: number[] = [];
  /** False where the file leaves some out. */
  hasDecodeTimes = true;

  /** Packets. */
  get count(): number {
    return this.shownS.length;
  }
}

/** Where the clock of one stream restarts or jumps. */
export interface ClockJumps {
  /** Added to the file's times from the first, second, ... jump on, in seconds. */
  readonly shiftsS: readonly number[];
  /** A step forward by more than this is a jump; Infinity: none is. */
  readonly forwardS: number;
  /** A step back by more than this is a jump. */
  readonly backwardS: number;
}

/** What the packets of a stream say. */
export interface PacketInfo {
  /** True when the first packet that is shown is a keyframe. */
  readonly startsWithKeyframe: boolean;
  /** True when decoding can begin with the first packet, even if that one itself is not shown. */
  readonly startsDecodable: boolean;
  /** The file's own timestamp of the first picture, in seconds. */
  readonly beginS: number;
  /** The file's own timestamp of the first keyframe, in seconds; undefined when there is none. */
  readonly firstKeyframeS: number | undefined;
  /** Longest time without a keyframe in seconds, the time before the first and after the last included. */
  readonly longestIntervalS: number;
  /** The same without the picture that stands longest in it: a group of one that stands for a minute has 0. */
  readonly longestMovingS: number;
  /** How long the picture stands that stands longest, in seconds. */
  readonly longestFrameS: number;
  /** Most pictures in a second; undefined where nobody knows. */
  readonly peakFps: number | undefined;
  /** From the begin of the first picture to the end of the last, in seconds; undefined when not all packets were read. */
  readonly spanS: number | undefined;
  /** Where its clock restarts or jumps; times above are without that. Undefined where it just runs. */
  readonly jumps?: ClockJumps | undefined;
  /** Packets that were read. */
  readonly count: number;
}

/** ffprobe's options that print what `readPackets` reads. */
export const PACKET_LISTING = ['-show_entries', 'packet=stream_index,pts_time,dts_time,duration_time,flags', '-of', 'csv=p=0'] as const;

/** Lines that are read before others get their turn. */
const LINES_A_TURN = 20_000;

/** By index of the stream. Long listings are read in parts, so that nobody waits for them. */
export async function readPackets(csv: string): Promise<ReadonlyMap<number, PacketLog>> {
  const logs = new Map<number, PacketLog>();
  let lines = 0;
  for (let at = 0; at < csv.length;) {
    const end = csv.indexOf('\n', at);
    // A line without an end was cut off.
    if (end < 0) break;
    readLine(csv.slice(at, end), ++lines, logs);
    at = end + 1;
    if (lines % LINES_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return logs;
}

/** Stream, presentation time, decoding time, duration, flags (K keyframe, D decoded but not shown). */
function readLine(line: string, number: number, logs: Map<number, PacketLog>): void {
  const [stream, pts, dts, duration, flags] = line.trim().split(',');
  const index = Number.parseInt(stream ?? '', 10);
  const [ptsS, dtsS] = [Number.parseFloat(pts ?? ''), Number.parseFloat(dts ?? '')];
  const shownS = Number.isFinite(ptsS) ? ptsS : dtsS;
  if (flags === undefined || !Number.isFinite(index) || !Number.isFinite(shownS)) return;
  const log = logs.get(index) ?? new PacketLog();
  logs.set(index, log);
  log.line.push(number);
  if (!Number.isFinite(dtsS)) log.hasDecodeTimes = false;
  log.shownS.push(shownS);
  log.decodedS.push(Number.isFinite(dtsS) ? dtsS : shownS);
  log.durationS.push(Math.max(0, Number.parseFloat(duration ?? '') || 0));
  log.isKey.push(flags.includes('K'));
  log.isShown.push(!flags.includes('D'));
}

/** @param isWhole whether these are all packets of the stream */
export function packetInfo(log: PacketLog, isWhole: boolean): PacketInfo {
  const span = spanOf(log);
  const isKeyTime = (i: number): boolean => log.isKey[i] === true && log.isShown[i] === true;
  const keyTimes = log.shownS.filter((_time, i) => isKeyTime(i));
  const shown = log.shownS.filter((_time, i) => log.isShown[i]).sort((a, b) => a - b);
  return {
    startsWithKeyframe: log.isKey[log.isShown.indexOf(true)] ?? false,
    startsDecodable: log.isKey[0] ?? false,
    beginS: span.beginS,
    firstKeyframeS: keyTimes[0],
    ...longestSteps(shown, new Set(keyTimes), span.endS),
    peakFps: span.count > 1 ? peakRate(shown, span.endS) : undefined,
    spanS: isWhole && span.count > 0 ? span.endS - span.beginS : undefined,
    count: span.count,
  };
}

/** @param shownS times of the pictures, ascending */
function longestSteps(
  shownS: readonly number[],
  keyTimes: ReadonlySet<number>,
  endS: number,
): Pick<PacketInfo, 'longestIntervalS' | 'longestMovingS' | 'longestFrameS'> {
  let [longestIntervalS, longestMovingS, longestFrameS] = [0, 0, 0];
  let group = { sinceS: shownS[0] ?? 0, stillS: 0 };
  shownS.forEach((timeS, i) => {
    if (keyTimes.has(timeS)) group = { sinceS: timeS, stillS: 0 };
    const nextS = shownS[i + 1] ?? endS;
    group.stillS = Math.max(group.stillS, nextS - timeS);
    longestFrameS = Math.max(longestFrameS, nextS - timeS);
    longestIntervalS = Math.max(longestIntervalS, nextS - group.sinceS);
    longestMovingS = Math.max(longestMovingS, nextS - group.sinceS - group.stillS);
  });
  return { longestIntervalS, longestMovingS, longestFrameS };
}

/** Times are rounded to milliseconds in many containers. */
const ROUNDING_S = 0.0015;

/** @param shownS times of the pictures, ascending */
function peakRate(shownS: readonly number[], endS: number): number {
  let [most, first] = [0, 0];
  shownS.forEach((timeS, i) => {
    while (timeS - (shownS[first] as number) >= 1 - ROUNDING_S) first++;
    most = Math.max(most, i - first + 1);
  });
  // Of less than a second, as if it went on like that.
  const spanS = endS - (shownS[0] ?? endS);
  return spanS > 0 && spanS < 1 ? shownS.length / spanS : most;
}

/** From the first that is shown to the end of the last one. */
export interface Span {
  /** Presentation time of the first packet, in seconds of the file. */
  readonly beginS: number;
  /** Where the last packet ends, in seconds of the file. */
  readonly endS: number;
  /** Packets. */
  readonly count: number;
}

const USUAL_STEP_S = 0.04;

/** The last one lasts as long as the file says, or as long as the others do on average. */
export function spanOf({ shownS, durationS, isShown }: PacketLog): Span {
  let [beginS, lastS, lastDurationS, count] = [Infinity, -Infinity, 0, 0];
  shownS.forEach((timeS, i) => {
    if (!isShown[i]) return;
    count++;
    beginS = Math.min(beginS, timeS);
    if (timeS < lastS) return;
    lastS = timeS;
    lastDurationS = durationS[i] as number;
  });
  const averageS = count > 1 ? (lastS - beginS) / (count - 1) : USUAL_STEP_S;
  return { beginS, endS: lastS + (lastDurationS > 0 ? lastDurationS : averageS), count };
}
