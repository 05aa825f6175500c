/** One rate for several streams: who has least is raised first, so that all keep moving. */
import type { Level } from './levels.js';

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

function cheapest(streams: readonly (readonly Level[])[], indexes: readonly number[], open: ReadonlySet<number>): number {
  const cost = (stream: number): number => costOf(streams[stream], indexes[stream] ?? 0);
  return [...open].reduce((best, stream) => (cost(stream) < cost(best) ? stream : best));
}

const costOf = (levels: readonly Level[] | undefined, index: number): number => levels?.[index]?.costBps ?? 0;
