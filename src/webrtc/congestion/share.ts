/** One rate for several streams: who has least is raised first, so that all keep moving. */
import { lowestPicture, type Level } from './levels.js';

/** Indexes of the levels that a rate carries, for each stream in order; the lowest ones where it carries not even them. */
export function shareOut(streams: readonly (readonly Level[])[], budgetBps: number): number[] {
  const indexes = streams.map((levels) => levels.length - 1);
  let spentBps = indexes.reduce((sum, index, stream) => sum + costOf(streams[stream], index), 0);
  const open = new Set(streams.keys());
  while (open.size > 0) {
    const stream = cheapest(streams, indexes, open);
    const index = indexes[stream] ?? 0;
    const raiseBps = costOf(streams[stream], index - 1) - costOf(streams[stream], index);
    if (index === 0 || spentBps + raiseBps > budgetBps) open.delete(stream);
    else {
      indexes[stream] = index - 1;
      spentBps += raiseBps;
    }
  }
  return indexes;
}

/** What the levels at these indexes take together, bits a second. */
export function totalBps(streams: readonly (readonly Level[])[], indexes: readonly number[]): number {
  return streams.reduce((sum, levels, stream) => sum + costOf(levels, indexes[stream] ?? 0), 0);
}

/** One rung down for the stream that takes most; the same where none can. Less than every frame is sent only where no more fits. */
export function loweredByOne(streams: readonly (readonly Level[])[], indexes: readonly number[]): number[] {
  const canGo = (levels: readonly Level[], index: number): boolean => levels[index + 1]?.delivery === 'frames';
  const costs = streams.map((levels, stream) => (canGo(levels, indexes[stream] ?? 0) ? costOf(levels, indexes[stream] ?? 0) : -1));
  const most = Math.max(...costs);
  return indexes.map((index, stream) => (most >= 0 && stream === costs.indexOf(most) ? index + 1 : index));
}

/** One step up for the stream that has least; undefined where all have the best. */
export function raisedByOne(streams: readonly (readonly Level[])[], indexes: readonly number[]): number[] | undefined {
  const costs = streams.map((levels, stream) => ((indexes[stream] ?? 0) > 0 ? costOf(levels, indexes[stream] ?? 0) : Infinity));
  const least = Math.min(...costs);
  if (least === Infinity) return undefined;
  return indexes.map((index, stream) => (stream === costs.indexOf(least) ? index - 1 : index));
}

/** What a rate carries, for no stream less than now. */
export function raisedTo(streams: readonly (readonly Level[])[], indexes: readonly number[], budgetBps: number): number[] {
  return shareOut(
    streams.map((levels, stream) => levels.slice(0, (indexes[stream] ?? 0) + 1)),
    budgetBps,
  );
}

/** Streams that begin beside others. */
export interface Beginning {
  /** Index of what each would have if all began. */
  readonly shares: readonly number[];
  /** Those that begin. */
  readonly isNew: readonly boolean[];
  /** For all together, bits a second. */
  readonly budgetBps: number;
}

/** Less for those that begin, as long as it shows every frame, until it fits beside what the others have; where it does not, all have their shares. */
export function besideOthers(
  streams: readonly (readonly Level[])[],
  indexes: readonly number[],
  { shares, isNew, budgetBps }: Beginning,
): readonly number[] {
  const fits = (each: readonly number[]): boolean => totalBps(streams, each) <= budgetBps;
  // Those that stay have no lower level here.
  const lower = (each: readonly number[]): number[] =>
    loweredByOne(
      streams.map((levels, stream) => (isNew[stream] ? levels : levels.slice(0, (each[stream] ?? 0) + 1))),
      each,
    );
  let fitting = indexes;
  for (let next = lower(fitting); !fits(fitting) && totalBps(streams, next) < totalBps(streams, fitting); next = lower(fitting))
    fitting = next;
  if (fits(fitting)) return fitting;
  return indexes.map((index, stream) => {
    const share = shares[stream] ?? index;
    return Math.max(index, isNew[stream] ? share : Math.min(share, lowestPicture(streams[stream] ?? [])));
  });
}

function cheapest(streams: readonly (readonly Level[])[], indexes: readonly number[], open: ReadonlySet<number>): number {
  const cost = (stream: number): number => costOf(streams[stream], indexes[stream] ?? 0);
  return [...open].reduce((best, stream) => (cost(stream) < cost(best) ? stream : best));
}

const costOf = (levels: readonly Level[] | undefined, index: number): number => levels?.[index]?.costBps ?? 0;
