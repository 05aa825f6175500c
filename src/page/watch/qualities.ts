/** The qualities in which a source can be watched, as the menu offers them. Knows no DOM. */
import type { QualityChange } from '/sightline.js';

/** A quality of a source, as `GET /available-videos` lists it. */
export interface ListedQuality {
  /** `source`, or a lower one by its name: `360p`. */
  readonly quality: string;
  /** Pixels; null where it is unknown. */
  readonly width: number | null;
  /** Pixels; null where it is unknown. */
  readonly height: number | null;
  /** Whether somebody is sent it now. */
  readonly running: boolean;
  /** False where the server cannot make it now. */
  readonly available: boolean;
}

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
/** Not by its size. */
const SMALL: Readonly<Record<string, string>> = { sound: 'sound only', keyframes: 'a picture now and then' };

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
  for (const name of [told?.quality ?? SOURCE, wished]) if (name !== AUTO && !Object.hasOwn(SMALL, name)) names.add(name);
  if (names.size < 2) return [];
  const sourceName = nameOfSource(listed);
  const nowSent = told?.quality ?? SOURCE;
  const now = nowSent === SOURCE ? sourceName : (SMALL[nowSent] ?? nowSent);
  const auto = wished === AUTO && now !== undefined ? `Auto (${now})` : 'Auto';
  return [
    { value: AUTO, text: auto, isDisabled: false },
    ...[...names].map((value) => ({
      value,
      text: value === SOURCE ? (sourceName === undefined ? 'Source' : `Source (${sourceName})`) : value,
      isDisabled: value !== wished && listed.some(({ quality, available, running }) => quality === value && !available && !running),
    })),
  ];
}

/** As its own size is called; undefined where it is unknown. */
function nameOfSource(listed: readonly ListedQuality[]): string | undefined {
  const { width, height } = listed.find(({ quality }) => quality === SOURCE) ?? {};
  return width && height ? `${Math.min(width, height)}p` : undefined;
}
