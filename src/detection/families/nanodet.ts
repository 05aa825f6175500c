/**
 * NanoDet-m (RangiLyu, 2020): BGR less its mean in, letterbox in the middle; out for each stride one probability
 * a class and, for each side of the box, the distribution of its distance from the cell's centre (generalised
 * focal loss, Li et al., 2020).
 */
import { Candidates } from '../candidates.js';
import { BGR_255 } from '../input-layout.js';
import { suppressOverlaps } from '../nms.js';
import type { Family, OutputTensor } from './family.js';
import { indexOfLargest, stridesOf, USUAL_STRIDES } from './grids.js';

interface Level {
  readonly classes: OutputTensor;
  readonly distances: OutputTensor;
}

export const nanodet: Family = {
  covers: 'NanoDet-m',
  layout: { ...BGR_255, fit: 'centre', pad: 0, mean: [103.53, 116.28, 123.675], std: [57.375, 57.12, 58.395] },
  scoreThreshold: 0.4,
  nmsIou: 0.6,

  expects: ({ widthPx, heightPx }, classes = NaN, strides = USUAL_STRIDES) =>
    'outputs ' +
    [...strides.map((stride) => [stride, classes || 'classes']), ...strides.map((stride) => [stride, '4*bins'])]
      .map(([stride, last]) => `[1,${(widthPx / Number(stride)) * (heightPx / Number(stride))},${last}]`)
      .join(', '),

  read({ outputs, inputs, strides: declared, ...size }) {
    const levels = levelsOf(outputs);
    if (!levels || inputs.length !== 1) return undefined;
    const cells = levels.map(({ classes }) => classes.dims[1] ?? 0);
    const strides = stridesOf(cells.reduce((sum, count) => sum + count, 0), size, declared);
    const [first] = levels;
    if (!first || strides?.length !== levels.length) return undefined;
    const [classes, bins] = [first.classes.dims[2] ?? 0, first.distances.dims[2] ?? 0];
    const fits = levels.every((level, i) => {
      const expected = (size.widthPx / (strides[i] ?? NaN)) * (size.heightPx / (strides[i] ?? NaN));
      return [level.classes.dims, level.distances.dims].every(([batch, count]) => batch === 1 && count === expected) && level.classes.dims[2] === classes && level.distances.dims[2] === bins;
    });
    return fits && bins >= 8 && bins % 4 === 0 ? { classes, strides } : undefined;
  },

  decoder({ input, strides, labels, nmsIou }) {
    const candidates = new Candidates();
    return (outputs, geometry, minScore) => {
      candidates.clear();
      levelsOf(outputs)?.forEach((level, i) => {
        const stride = strides[i];
        if (stride !== undefined) decodeLevel(level, stride, input.widthPx / stride, labels.length, minScore, candidates);
      });
      return candidates.toDetections(suppressOverlaps(candidates, nmsIou), geometry, labels);
    };
  },
};

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

function decodeLevel({ classes, distances }: Level, stride: number, columns: number, labels: number, minScore: number, candidates: Candidates): void {
  const cells = classes.data.length / labels;
  const bins = (distances.dims[2] ?? 0) / 4;
  for (let i = 0; i < cells; i++) {
    const classId = indexOfLargest(classes.data, i * labels, labels);
    const score = classes.data[i * labels + classId] as number;
    if (classId < 0 || !(score >= minScore)) continue;
    const x = (i % columns) * stride + (stride - 1) / 2;
    const y = Math.floor(i / columns) * stride + (stride - 1) / 2;
    const side = (which: number): number => expectation(distances.data, (4 * i + which) * bins, bins) * stride;
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
