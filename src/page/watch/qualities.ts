/** The qualities in which a source can be watched, as the menu offers them. Knows no DOM. */
import type { QualityChange } from '/sightline.js';
import type { ListedQuality } from '../api/sources.js';
import { words } from '../strings/index.js';

/** An entry of the menu. */
export interface QualityOption {
  /** What is asked for. */
  readonly value: string;
  /** For a person. */
  readonly text: string;
  /** It cannot be had now. */
  readonly isDisabled: boolean;
}

/** What the network carries. */
export const AUTO = 'auto';
const SOURCE = 'source';
/** Not by their size. */
const SMALL = ['sound', 'keyframes'] as const;

/** What is known of the qualities of a source. */
export interface KnownQualities {
  /** Of the source, the best first; empty where nobody tells. */
  readonly listed: readonly ListedQuality[];
  /** What the server said last of the quality that it sends; undefined where it said nothing: it sends the source's own. */
  readonly told: Pick<QualityChange, 'quality'> | undefined;
  /** What the person asked for. */
  readonly wished: string;
}

/** What can be chosen; empty where there is nothing to choose from. */
export function qualityOptions({ listed, told, wished }: KnownQualities): readonly QualityOption[] {
  const names = new Set([SOURCE, ...listed.map(({ quality }) => quality)]);
  // A server that lists nothing still says what it sends.
  for (const name of [told?.quality ?? SOURCE, wished]) if (name !== AUTO && !isSmall(name)) names.add(name);
  if (names.size < 2) return [];
  const { qualities } = words.value.watch;
  const sourceName = nameOfSource(listed);
  const nowSent = told?.quality ?? SOURCE;
  const now = nowSent === SOURCE ? sourceName : isSmall(nowSent) ? qualities[nowSent] : nowSent;
  const auto = wished === AUTO && now !== undefined ? qualities.autoNow(now) : qualities.auto;
  return [
    { value: AUTO, text: auto, isDisabled: false },
    ...[...names].map((value) => ({
      value,
      text: value === SOURCE ? (sourceName === undefined ? qualities.source : qualities.sourceNow(sourceName)) : value,
      isDisabled: value !== wished && listed.some(({ quality, available, running }) => quality === value && !available && !running),
    })),
  ];
}

function isSmall(name: string): name is (typeof SMALL)[number] {
  return SMALL.some((each) => each === name);
}

/** As its own size is called; undefined where it is unknown. */
function nameOfSource(listed: readonly ListedQuality[]): string | undefined {
  const { width, height } = listed.find(({ quality }) => quality === SOURCE) ?? {};
  return width && height ? `${Math.min(width, height)}p` : undefined;
}
