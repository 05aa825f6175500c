/** The grids of cells that one-stage models divide their input into. */

interface Size {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Strides of nearly every model with grids. */
export const USUAL_STRIDES: readonly number[] = [8, 16, 32];

/** Grids that exports are known to have, the most usual first. */
const KNOWN_STRIDES: readonly (readonly number[])[] = [
  USUAL_STRIDES,
  [8, 16, 32, 64],
  [4, 8, 16, 32],
  [16, 32],
  [8, 16],
  [8],
  [16],
  [32],
  [4],
  [4, 8],
  [4, 8, 16],
];

/** Cells of all grids; undefined where a stride does not divide the input. */
export function cellCount({ widthPx, heightPx }: Size, strides: readonly number[]): number | undefined {
  if (strides.some((stride) => widthPx % stride !== 0 || heightPx % stride !== 0)) return undefined;
  return strides.reduce((sum, stride) => sum + (widthPx / stride) * (heightPx / stride), 0);
}

/** The strides whose grids have so many cells, tried in the order of their frequency. @param declared the only ones to try. */
export function stridesOf(cells: number, size: Size, declared?: readonly number[]): readonly number[] | undefined {
  const tried = declared ? [declared] : KNOWN_STRIDES;
  return tried.find((strides) => cellCount(size, strides) === cells);
}

/** Column, row and stride of each cell: strides in order, then row-major. */
export function gridCells({ widthPx, heightPx }: Size, strides: readonly number[]): { x: Int32Array; y: Int32Array; stride: Int32Array } {
  const count = cellCount({ widthPx, heightPx }, strides) ?? 0;
  const [x, y, stride] = [new Int32Array(count), new Int32Array(count), new Int32Array(count)];
  let at = 0;
  for (const step of strides) {
    const columns = widthPx / step;
    const cells = columns * (heightPx / step);
    for (let i = 0; i < cells; i++, at++) {
      x[at] = i % columns;
      y[at] = Math.floor(i / columns);
      stride[at] = step;
    }
  }
  return { x, y, stride };
}

/** Index of the largest of `count` values from `at`, `step` apart; -1 when none is a number. */
export function indexOfLargest(values: Float32Array, at: number, count: number, step = 1): number {
  let best = -1;
  let largest = -Infinity;
  for (let i = 0; i < count; i++) {
    const value = values[at + i * step] as number;
    if (value > largest) {
      largest = value;
      best = i;
    }
  }
  return best;
}

/** The logistic function. */
export function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}
