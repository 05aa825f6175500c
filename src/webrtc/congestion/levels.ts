/** What can be sent of a stream, the best first: its rungs, then keyframes of the lowest one, then nothing. */

/** A quality that a stream is to be had in; a `Rung` of its source is one. */
export interface RungOption {
  /** Unique among those of its stream. */
  readonly name: string;
  /** Undefined before it is known: taken for that of 720p, and more than what is below it. */
  readonly bitrateBps: number | undefined;
  /** Frames of it flow now. */
  readonly isRunning: boolean;
  /** False: nobody more can have it now unless it runs. Default: it is to be had. */
  readonly isAvailable?: boolean;
}

/** How much of a rung is sent: every frame, its keyframes alone, or nothing, so that sound still comes through. */
type Delivery = 'frames' | 'keyframes' | 'nothing';

/** What is sent of a stream. */
export interface Selection {
  /** Name of a rung; the lowest one where not every frame is sent. */
  readonly rung: string;
  /** How much of it. */
  readonly delivery: Delivery;
}

/** A selection and what it takes, bits a second. */
export interface Level extends Selection {
  /** Bits a second. */
  readonly costBps: number;
}

/** One stream, as whoever sends it sees it now. */
export interface StreamWish {
  /** Unique among the streams of its transport. */
  readonly id: string;
  /** Whatever tells what it shows from what it showed before: steps of that are none of this. Default: always the same. */
  readonly content?: string;
  /** Its ladder, the best first; not empty. It may be another one each time. */
  readonly rungs: readonly RungOption[];
  /** What is sent, or on its way to be; undefined before anything is. */
  readonly current: Selection | undefined;
  /** It is sent. False: it is on its way, and something else is sent meanwhile. Default: true. */
  readonly isFlowing?: boolean;
  /** What its viewer asks for: `auto`, or the name of a rung. A name that the ladder has not is `auto`. */
  readonly wish: string;
}

/** What is assumed of a rung that has not been measured. */
const UNKNOWN_BPS = 2_500_000;
const UNKNOWN_FACTOR = 1.5;
/** Keyframes alone: five times the size of a frame, every second. */
const KEYFRAMES_SHARE = 0.2;

/** The levels of a stream, the best first; never empty. One alone where its viewer chose it. */
export function levelsOf({ rungs, wish, current }: StreamWish): readonly Level[] {
  const full = withCosts(rungs);
  const chosen = full.filter(({ rung }) => rung === wish);
  if (chosen.length > 0) return chosen;
  const available = full.filter((_, index) => isToBeHad(rungs[index], current));
  const usable = available.length > 0 ? available : full.slice(0, 1);
  return usable.flatMap((level, index) =>
    index < usable.length - 1
      ? [level]
      : [
          level,
          { rung: level.rung, delivery: 'keyframes' as const, costBps: level.costBps * KEYFRAMES_SHARE },
          { rung: level.rung, delivery: 'nothing' as const, costBps: 0 },
        ],
  );
}

/** Index of a selection among the levels; undefined where it is none of them any more. */
export function levelIndex(levels: readonly Level[], selection: Selection | undefined): number | undefined {
  const index = levels.findIndex(({ rung, delivery }) => rung === selection?.rung && delivery === selection.delivery);
  return index === -1 ? undefined : index;
}

/** Index of the last level that shows every frame. */
export const lowestPicture = (levels: readonly Level[]): number => levels.findLastIndex(({ delivery }) => delivery === 'frames');

/** What a selection of a stream takes, bits a second; 0 where the stream has it not. */
export function costOf(stream: StreamWish, selection: Selection | undefined): number {
  const levels = levelsOf(stream);
  return levels[levelIndex(levels, selection) ?? levels.length]?.costBps ?? 0;
}

function withCosts(rungs: readonly RungOption[]): Level[] {
  let belowBps = 0;
  return rungs
    .toReversed()
    .map(({ name, bitrateBps }) => {
      belowBps = Math.max(bitrateBps ?? Math.max(UNKNOWN_BPS, belowBps * UNKNOWN_FACTOR), belowBps);
      return { rung: name, delivery: 'frames' as const, costBps: belowBps };
    })
    .toReversed();
}

const isToBeHad = (rung: RungOption | undefined, current: Selection | undefined): boolean =>
  rung !== undefined && (rung.isAvailable !== false || rung.isRunning || rung.name === current?.rung);
