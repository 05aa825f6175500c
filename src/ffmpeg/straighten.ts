/**
 * Files whose clock restarts or jumps on the way: recorders that were joined, cars whose camera started again, broadcasts cut
 * together. Each part is moved behind the one before, pictures and sound by the same amount, so that they stay together.
 */
import type { ClockJumps, PacketLog } from './packets.js';

/** A broadcast has no pictures that stand for so long; what other containers say is believed longer. */
const BROADCAST_JUMP_S = 10;
const JUMP_S = 60;
/** Where each picture carries its length. */
const AUTHORED_JUMP_S = 600;
/** Pictures that are not in order of time: where no time of decoding is known. */
const REORDERED_S = 1;
/** Parts of two streams that begin within this belong together. */
const TOGETHER_S = 10;
/** More are too many for an expression. */
const MAX_JUMPS = 100;

type Limits = Pick<ClockJumps, 'forwardS' | 'backwardS'>;

/** A part of a stream between two jumps. */
interface Part {
  /** Its first packet. */
  readonly first: number;
  /** The same for parts of other streams that run by the same clock. */
  readonly clock: number;
}

/**
 * Moves the times of the logs to one clock that never steps back, and says how; undefined for all where it just runs.
 * @param logs of the streams that are played together
 */
export function straighten(logs: readonly PacketLog[], container: string): (ClockJumps | undefined)[] {
  const forwardS = longestStep(logs, container);
  const limits = logs.map((log) => ({ forwardS, backwardS: log.hasDecodeTimes ? 0 : REORDERED_S }));
  const parts = partsOf(logs, limits);
  if (parts.every(({ length }) => length === 1) || parts.some(({ length }) => length > MAX_JUMPS)) return logs.map(() => undefined);
  const shifts = shiftLogs(logs, parts);
  return limits.map((limit, i) => ({ ...limit, shiftsS: (parts[i] ?? []).slice(1).map(({ clock }) => shifts[clock] ?? 0) }));
}

/** What counts as a jump forward; never where one stream continues while another stands. */
function longestStep(logs: readonly PacketLog[], container: string): number {
  const usualS = /mpeg/.test(container) ? BROADCAST_JUMP_S : /mov|avi/.test(container) ? AUTHORED_JUMP_S : JUMP_S;
  const limitS = Math.max(usualS, ...logs.map((log) => 5 * medianStep(log)));
  const doAllJump = logs.every(({ decodedS }) => decodedS.some((timeS, i) => i > 0 && timeS - (decodedS[i - 1] as number) > limitS));
  return doAllJump ? limitS : Infinity;
}

function medianStep({ decodedS }: PacketLog): number {
  const steps = decodedS
    .slice(1)
    .map((timeS, i) => timeS - (decodedS[i] as number))
    .sort((a, b) => a - b);
  return steps[Math.floor(steps.length / 2)] ?? 0;
}

/** Each stream's parts, in the order of the file. */
function partsOf(logs: readonly PacketLog[], limits: readonly Limits[]): Part[][] {
  const parts: Part[][] = logs.map(() => [{ first: 0, clock: 0 }]);
  const jumps = logs.flatMap((log, stream) =>
    jumpsOf(log, limits[stream] as Limits).map((first) => ({
      stream,
      first,
      line: log.line[first] as number,
      beginS: log.decodedS[first] as number,
    })),
  );
  const begins: number[] = [NaN];
  for (const { stream, first, beginS } of jumps.sort((a, b) => a.line - b.line)) {
    const own = parts[stream] as Part[];
    const behind = (own.at(-1) as Part).clock + 1;
    const known = begins.findLastIndex((otherS, clock) => clock >= behind && Math.abs(otherS - beginS) < TOGETHER_S);
    own.push({ first, clock: known >= 0 ? known : begins.push(beginS) - 1 });
  }
  return parts;
}

function jumpsOf({ decodedS, isShown }: PacketLog, { forwardS, backwardS }: Limits): number[] {
  let newestS = -Infinity;
  return decodedS.flatMap((timeS, i) => {
    const isJump = i > 0 && (timeS < newestS - backwardS || timeS - newestS > forwardS) && isShown[i] === true;
    newestS = isJump ? timeS : Math.max(newestS, timeS);
    return isJump ? [i] : [];
  });
}

/** Each clock's shift: as little as lets no stream's part begin before its last one ended. */
function shiftLogs(logs: readonly PacketLog[], parts: readonly Part[][]): number[] {
  const clocks = Math.max(...parts.flat().map(({ clock }) => clock)) + 1;
  const ends = logs.map(() => -Infinity);
  const shifts: number[] = [];
  for (let clock = 0; clock < clocks; clock++) {
    const ranges = logs.map((log, stream) => rangeOf(log, parts[stream] ?? [], clock));
    const room = ranges.map((range, stream) => (range ? (ends[stream] as number) - beginOf(logs[stream] as PacketLog, range) : -Infinity));
    const shiftS = clock === 0 ? 0 : Math.max(...room);
    shifts.push(Number.isFinite(shiftS) ? shiftS : 0);
    ranges.forEach((range, stream) => {
      if (range) ends[stream] = Math.max(ends[stream] as number, shiftRange(logs[stream] as PacketLog, range, shifts[clock] as number));
    });
  }
  return shifts;
}

/** Packets of one part. */
interface Range {
  readonly first: number;
  readonly end: number;
}

function rangeOf({ count }: PacketLog, parts: readonly Part[], clock: number): Range | undefined {
  const at = parts.findIndex((part) => part.clock === clock);
  const part = parts[at];
  return part && { first: part.first, end: parts[at + 1]?.first ?? count };
}

/** Pictures are decoded out of order for so many packets at most. */
const MAX_REORDERED = 32;

/** When the first of them is shown. */
function beginOf({ shownS }: PacketLog, { first, end }: Range): number {
  return Math.min(...shownS.slice(first, Math.min(end, first + MAX_REORDERED)));
}

/** @returns when the last of them has been shown, on the new clock */
function shiftRange({ shownS, decodedS, durationS }: PacketLog, { first, end }: Range, shiftS: number): number {
  const averageS = end - first > 1 ? ((decodedS[end - 1] as number) - (decodedS[first] as number)) / (end - first - 1) : 0.04;
  let endS = -Infinity;
  for (let i = first; i < end; i++) {
    shownS[i] = (shownS[i] as number) + shiftS;
    decodedS[i] = (decodedS[i] as number) + shiftS;
    endS = Math.max(endS, (shownS[i] as number) + ((durationS[i] as number) || averageS));
  }
  return endS;
}
