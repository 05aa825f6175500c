/** What of a camera's description is told to administrators: everything but its addresses, and what may be a secret. */
import { SECRET_OPTIONS } from './request-faults.js';
import type { PullInput } from './read-entry.js';

/** How a camera is read, without what is secret. */
export interface ShownSettings {
  /** Scheme of its address, or the format of a device. */
  readonly scheme: string;
  /** As `scheme`, of its second stream; undefined where it has none. */
  readonly lowScheme: string | undefined;
  /** As it was given. */
  readonly format: string | undefined;
  /** Those whose values are no secrets. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
  /** Names of the options whose values are not told. */
  readonly hiddenOptions: readonly string[];
  /** False: its sound is ignored. */
  readonly audio: boolean;
  /** Connected although nobody watches. */
  readonly alwaysOn: boolean;
  /** `always`: never copied. */
  readonly transcode: 'auto' | 'always';
}

/** The settings of a camera. */
export function shownSettings({ input, low, written, ...entry }: PullInput): ShownSettings {
  const options = Object.entries(written.options ?? {});
  const isShown = ([name, value]: [string, unknown]): boolean =>
    !SECRET_OPTIONS.has(name) && typeof value !== 'object' && !(typeof value === 'string' && value.includes('${'));
  return {
    scheme: input.kind,
    lowScheme: low?.kind,
    format: written.format,
    options: Object.fromEntries(options.filter(isShown)) as ShownSettings['options'],
    hiddenOptions: options.filter((option) => !isShown(option)).map(([name]) => name),
    audio: entry.wantsAudio,
    alwaysOn: entry.isAlwaysOn,
    transcode: entry.mustTranscode ? 'always' : 'auto',
  };
}
