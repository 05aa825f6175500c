/** Which lower qualities a source is to have: what the operator wants, whatever the source. */

/** A lower quality that is encoded for those who need it. */
export interface PlannedRung {
  /** The shorter side of its frames, in pixels; even. */
  readonly shortSidePx: number;
  /** What it is encoded with, bits a second. */
  readonly bitrateBps: number;
}

/** Rungs from the best down, empty for none; `auto`: those of `AUTO_RUNGS` that are worth it. */
export type LadderPlan = 'auto' | readonly PlannedRung[];

/** From the best down: each costs about half of the one before, and 540p is near half of a common source. */
export const AUTO_RUNGS: readonly PlannedRung[] = [
  { shortSidePx: 720, bitrateBps: 1_800_000 },
  { shortSidePx: 540, bitrateBps: 1_100_000 },
  { shortSidePx: 360, bitrateBps: 550_000 },
  { shortSidePx: 180, bitrateBps: 180_000 },
];

/** How a rung is named: `540p`. */
export function rungName(shortSidePx: number): string {
  return `${shortSidePx}p`;
}

/** The shorter side of the frames of a rung by its name; undefined where it is no such name. */
export function shortSideOf(name: string): number | undefined {
  return /^[1-9]\d{0,4}p$/.test(name) ? Number.parseInt(name, 10) : undefined;
}
