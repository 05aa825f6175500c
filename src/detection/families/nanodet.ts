/**
 * NanoDet (RangiLyu, 2020): BGR less its mean in; for each cell one probability a class and, for each side of the box,
 * the distribution of its distance from the cell's point (generalised focal loss, Li et al., 2020). Three exports:
 * - NanoDet-m, two outputs a stride;
 * - NanoDet-Plus, one output of all strides, classes and distances in a row, the picture stretched;
 * - NanoDet-m by the later exporter, such rows of three strides.
 */
import { Candidates } from '../candidates.js';
import { BGR_255 } from '../input-layout.js';
import { suppressOverlaps } from '../nms.js';
import type { Family, OutputTensor, Probe } from './family.js';
import { indexOfLargest, stridesOf, USUAL_STRIDES } from './grids.js';
import { areProbabilities } from './values.js';

/** Strides of NanoDet-Plus. */
const PLUS_STRIDES: readonly number[] = [8, 16, 32, 64];
/** Bins of a distance: of most configurations, and of the larger NanoDet-m. */
const KNOWN_BINS: readonly number[] = [8, 11];

interface Level {
  readonly classes: OutputTensor;
  readonly distances: OutputTensor;
}

/** The cells of one stride, a row each. */
interface Rows {
  readonly classes: Float32Array;
  readonly classesStep: number;
  readonly distances: Float32Array;
  readonly distancesStep: number;
  readonly bins: number;
  readonly cells: number;
  readonly columns: number;
  readonly stride: number;
  /** Of a cell's point from its upper left corner, pixels. */
  readonly offsetPx: number;
}

/** NanoDet-m and NanoDet-Plus. */
export const nanodet: Family = {
  covers: 'NanoDet-m, NanoDet-Plus',
  layout: { ...BGR_255, fit: 'centre', pad: 0, mean: [103.53, 116.28, 123.675], std: [57.375, 57.12, 58.395] },
  scoreThreshold: 0.4,
  nmsIou: 0.6,

  expects(size, classes, declared) {
    const last = classes ?? 'classes';
    const strides = declared ?? USUAL_STRIDES;
    const outputs = [...strides.map((stride) => [stride, last]), ...strides.map((stride) => [stride, '4*bins'])] as const;
    const merged = declared ?? PLUS_STRIDES;
    return (
      `outputs ${outputs.map(([stride, columns]) => `[1,${cellsOf(size, Number(stride))},${columns}]`).join(', ')}; ` +
      `or one output [1,${totalCells(size, merged)},${classes === undefined ? 'classes+4*bins' : `${classes}+4*bins`}] of probabilities and distances (strides ${merged.join(', ')})`
    );
  },

  read(probe) {
    if (probe.inputs.length !== 1) return undefined;
    return probe.outputs.length === 1 ? readRows(probe) : readLevels(probe);
  },

  decoder({ input, strides, labels, nmsIou }) {
    const candidates = new Candidates();
    return (outputs, geometry, minScore) => {
      candidates.clear();
      const split = outputs.length === 1 ? splitRows : splitLevels;
      for (const rows of split(outputs, input, strides, labels.length)) decodeRows(rows, labels.length, minScore, candidates);
      return candidates.toDetections(suppressOverlaps(candidates, nmsIou), geometry, labels);
    };
  },
};

type Size = Pick<Probe, 'widthPx' | 'heightPx'>;

/** Cells of a stride; one that juts out counts. */
function cellsOf({ widthPx, heightPx }: Size, stride: number): number {
  return Math.ceil(widthPx / stride) * Math.ceil(heightPx / stride);
}

function totalCells(size: Size, strides: readonly number[]): number {
  return strides.reduce((sum, stride) => sum + cellsOf(size, stride), 0);
}

function readLevels({ outputs, strides: declared, ...size }: Probe): ReturnType<Family['read']> {
  const levels = levelsOf(outputs);
  if (!levels) return undefined;
  const cells = levels.map(({ classes }) => classes.dims[1] ?? 0);
  const strides = stridesOf(
    cells.reduce((sum, count) => sum + count, 0),
    size,
    declared,
  );
  const [first] = levels;
  if (!first || strides?.length !== levels.length) return undefined;
  const [classes, bins] = [first.classes.dims[2] ?? 0, first.distances.dims[2] ?? 0];
  const fits = levels.every((level, i) => {
    const expected = cellsOf(size, strides[i] ?? NaN);
    return (
      [level.classes.dims, level.distances.dims].every(([batch, count]) => batch === 1 && count === expected) &&
      level.classes.dims[2] === classes &&
      level.distances.dims[2] === bins
    );
  });
  return fits && bins >= 8 && bins % 4 === 0 ? { classes, strides } : undefined;
}

/** Rows of probabilities and then distances; the number of bins is the one that leaves probabilities alone to the classes. */
function readRows({ outputs: [output], strides: declared, ...size }: Probe): ReturnType<Family['read']> {
  const [batch, rows, columns = 0, ...more] = output?.dims ?? [];
  const strides = (declared ? [declared] : [PLUS_STRIDES, USUAL_STRIDES]).find((tried) => totalCells(size, tried) === rows);
  if (!output || batch !== 1 || more.length > 0 || !strides) return undefined;
  const bins = KNOWN_BINS.find((count) => columns > 4 * count && areProbabilities(output, 0, columns - 4 * count));
  if (bins === undefined) return undefined;
  const classes = columns - 4 * bins;
  return {
    classes,
    strides,
    isAmbiguous: areProbabilities(output, classes, columns),
    ...(strides.length === PLUS_STRIDES.length && { layout: { fit: 'stretch' } }),
  };
}

/** First all classes, then all distances, each with ascending strides; or as their names tell. */
function levelsOf(outputs: readonly OutputTensor[]): Level[] | undefined {
  if (outputs.length === 0 || outputs.length % 2 !== 0 || outputs.some(({ dims }) => dims.length !== 3)) return undefined;
  const half = outputs.length / 2;
  const named = (pattern: RegExp): OutputTensor[] => outputs.filter(({ name }) => pattern.test(name));
  const byName = [named(/cls/), named(/dis|reg/)];
  const [classes, distances] = byName.every(({ length }) => length === half) ? byName : [outputs.slice(0, half), outputs.slice(half)];
  const larger = (a: OutputTensor, b: OutputTensor): number => (b.dims[1] ?? 0) - (a.dims[1] ?? 0);
  const sorted = [...(distances ?? [])].sort(larger);
  return [...(classes ?? [])].sort(larger).flatMap((tensor, i) => (sorted[i] ? [{ classes: tensor, distances: sorted[i] }] : []));
}

function splitLevels(outputs: readonly OutputTensor[], input: Size, strides: readonly number[], classes: number): Rows[] {
  return (levelsOf(outputs) ?? []).flatMap((level, i) => {
    const stride = strides[i];
    if (stride === undefined) return [];
    const distancesStep = level.distances.dims[2] ?? 0;
    return [
      {
        classes: level.classes.data,
        classesStep: classes,
        distances: level.distances.data,
        distancesStep,
        bins: distancesStep / 4,
        cells: cellsOf(input, stride),
        columns: Math.ceil(input.widthPx / stride),
        stride,
        offsetPx: (stride - 1) / 2,
      },
    ];
  });
}

function splitRows([output]: readonly OutputTensor[], input: Size, strides: readonly number[], classes: number): Rows[] {
  const data = output?.data ?? new Float32Array(0);
  const step = output?.dims[2] ?? 0;
  let first = 0;
  return strides.map((stride) => {
    const cells = cellsOf(input, stride);
    const at = first * step;
    first += cells;
    return {
      ...{
        classes: data.subarray(at),
        classesStep: step,
        distances: data.subarray(at + classes),
        distancesStep: step,
        bins: (step - classes) / 4,
      },
      ...{ cells, columns: Math.ceil(input.widthPx / stride), stride },
      // NanoDet-Plus measures from the corner, NanoDet-m from the middle.
      offsetPx: strides.length === PLUS_STRIDES.length ? 0 : stride / 2,
    };
  });
}

function decodeRows(
  { classes, classesStep, distances, distancesStep, bins, cells, columns, stride, offsetPx }: Rows,
  labels: number,
  minScore: number,
  candidates: Candidates,
): void {
  for (let i = 0; i < cells; i++) {
    const classId = indexOfLargest(classes, i * classesStep, labels);
    const score = classes[i * classesStep + classId] as number;
    if (classId < 0 || !(score >= minScore)) continue;
    const x = (i % columns) * stride + offsetPx;
    const y = Math.floor(i / columns) * stride + offsetPx;
    const side = (which: number): number => expectation(distances, i * distancesStep + which * bins, bins) * stride;
    candidates.add(x - side(0), y - side(1), x + side(2), y + side(3), score, classId);
  }
}

/** The mean of the distribution whose logits stand at `at`. */
function expectation(logits: Float32Array, at: number, bins: number): number {
  const top = logits[at + indexOfLargest(logits, at, bins)] ?? NaN;
  let sum = 0;
  let weighted = 0;
  for (let i = 0; i < bins; i++) {
    const weight = Math.exp((logits[at + i] as number) - top);
    sum += weight;
    weighted += weight * i;
  }
  return weighted / sum;
}
