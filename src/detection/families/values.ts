/** What values tell of a model whose shapes other families have too. Damaged models give NaN, which tells nothing. */
import type { OutputTensor } from './family.js';

/** True when none of the columns `from` to `to`, excluded, of any row lies outside [0, 1]. */
export function areProbabilities({ data, dims }: OutputTensor, from: number, to: number): boolean {
  return everyValue(data, dims[2] ?? 0, from, to, (value) => !(value < 0 || value > 1));
}

/** True when a column is one in every row. */
export function areOnes({ data, dims }: OutputTensor, column: number): boolean {
  return everyValue(data, dims[2] ?? 0, column, column + 1, (value) => value === 1);
}

function everyValue(data: Float32Array, columns: number, from: number, to: number, holds: (value: number) => boolean): boolean {
  for (let at = 0; at + columns <= data.length && columns > 0; at += columns) {
    for (let i = at + from; i < at + to; i++) if (!holds(data[i] as number)) return false;
  }
  return true;
}
