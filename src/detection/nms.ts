/** Non-maximum suppression: of boxes of one class that overlap, the one with the highest score stays. */
import type { Candidates } from './candidates.js';

/** More are never compared: comparing costs the square of their number, and no picture shows so many objects. */
export const MAX_CANDIDATES = 1000;

/** Indices of the strongest candidates, highest score first, the earlier one first among equals. */
export function strongest(candidates: Candidates, limit = MAX_CANDIDATES): Int32Array {
  const { count, score } = candidates;
  const lowest = count > limit ? scoreOfRank(candidates, limit) : 0;
  const indices = new Int32Array(count);
  let kept = 0;
  for (let i = 0; i < count; i++) if ((score[i] as number) >= lowest) indices[kept++] = i;
  return indices
    .subarray(0, kept)
    .sort((a, b) => (score[b] as number) - (score[a] as number) || a - b)
    .subarray(0, limit);
}

/** Indices of the candidates that stay, highest score first. Equal overlap stays. */
export function suppressOverlaps(candidates: Candidates, maxIou: number): number[] {
  const { left, top, right, bottom, classId } = candidates;
  const kept: number[] = [];
  for (const i of strongest(candidates)) {
    let stays = true;
    for (let k = 0; stays && k < kept.length; k++) {
      const other = kept[k] as number;
      if (classId[other] !== classId[i]) continue;
      const width = Math.min(right[i] as number, right[other] as number) - Math.max(left[i] as number, left[other] as number);
      const height = Math.min(bottom[i] as number, bottom[other] as number) - Math.max(top[i] as number, top[other] as number);
      if (width <= 0 || height <= 0) continue;
      const common = width * height;
      stays = common <= maxIou * (area(candidates, i) + area(candidates, other) - common);
    }
    if (stays) kept.push(i);
  }
  return kept;
}

function area({ left, top, right, bottom }: Candidates, i: number): number {
  return ((right[i] as number) - (left[i] as number)) * ((bottom[i] as number) - (top[i] as number));
}

/** A score that at least `rank` candidates reach and few more: found by counting, which is cheaper than sorting all. */
function scoreOfRank({ count, score }: Candidates, rank: number): number {
  const steps = 1024;
  const histogram = new Int32Array(steps + 1);
  for (let i = 0; i < count; i++) {
    const step = Math.min(steps, Math.floor((score[i] as number) * steps));
    histogram[step] = (histogram[step] as number) + 1;
  }
  let reached = 0;
  for (let step = steps; step > 0; step--) {
    reached += histogram[step] as number;
    if (reached >= rank) return step / steps;
  }
  return 0;
}
