/** What was sent of each stream at some time, to be looked back at when streams may have come or gone, or show something else. */
import { levelIndex, type Level, type Selection, type StreamWish } from './levels.js';

/** By the stream's id: what was sent, and of which content. */
export type PastLevels = ReadonlyMap<string, { readonly content: string | undefined; readonly selection: Selection }>;

/** Keeps what is sent now. @param indexes of the levels, in the order of the streams */
export function pastLevels(streams: readonly StreamWish[], levels: readonly (readonly Level[])[], indexes: readonly number[]): PastLevels {
  return new Map(
    streams.flatMap(({ id, content }, stream) => {
      const level = levels[stream]?.[indexes[stream] ?? 0];
      return level ? [[id, { content, selection: level }] as const] : [];
    }),
  );
}

/** Where what a stream had is among its levels of now; undefined where it has it no more, or shows something else. */
export function pastIndex(past: PastLevels | undefined, { id, content }: StreamWish, levels: readonly Level[]): number | undefined {
  const known = past?.get(id);
  return known && known.content === content ? levelIndex(levels, known.selection) : undefined;
}
