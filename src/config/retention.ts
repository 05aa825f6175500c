/** How long events and recordings are kept, and how much of a disk they leave. */
import type { Variable } from './variable.js';

/** How long something is kept, and how much of it. */
interface Retention {
  /** Infinity: however old. */
  readonly maxAgeMs: number;
  /** Infinity: however much. */
  readonly maxBytes: number;
}

const RETENTION_UNITS: Readonly<Record<string, { readonly of: keyof Retention; readonly factor: number }>> = {
  h: { of: 'maxAgeMs', factor: 3_600_000 },
  d: { of: 'maxAgeMs', factor: 86_400_000 },
  MB: { of: 'maxBytes', factor: 1e6 },
  GB: { of: 'maxBytes', factor: 1e9 },
};

/** An age, a size, or both; undefined where it is neither. */
function readRetention(value: string): Partial<Retention> | undefined {
  const found: Partial<Record<keyof Retention, number>> = {};
  for (const part of value.split(',').map((item) => item.trim())) {
    const [, count, name = ''] = /^([1-9]\d{0,5})(h|d|MB|GB)$/.exec(part) ?? [];
    const unit = RETENTION_UNITS[name];
    if (!unit || found[unit.of] !== undefined) return undefined;
    found[unit.of] = Number(count) * unit.factor;
  }
  return found;
}

/** A still takes about 10 kB. */
const DEFAULT_EVENT_BYTES = 2e9;

/** Of EVENT_RETENTION. */
export const eventRetention: Variable<Retention> = {
  shownDefault: '30d',
  description:
    'How long events are kept, how much of them, or both: `30d`, `12h`, `500MB`, `30d,2GB`. Without a size at most 2 GB; the oldest go first.',
  allowed: 'an age such as 30d or 12h, a size such as 500MB or 2GB, or both with a comma between them',
  defaultValue: { maxAgeMs: 30 * 86_400_000, maxBytes: DEFAULT_EVENT_BYTES },
  parse(value) {
    const retention = readRetention(value);
    return retention && { maxAgeMs: Infinity, maxBytes: DEFAULT_EVENT_BYTES, ...retention };
  },
};

/** Of RECORD_RETENTION. */
export const recordRetention: Variable<Retention> = {
  shownDefault: '72h',
  description:
    'How long recordings are kept, how much of them, or both: `72h`, `30d`, `20GB`, `72h,20GB`; the oldest go first. What is to be kept stays.',
  allowed: 'an age such as 72h or 30d, a size such as 500MB or 20GB, or both with a comma between them',
  defaultValue: { maxAgeMs: 72 * 3_600_000, maxBytes: Infinity },
  parse(value) {
    const retention = readRetention(value);
    return retention && { maxAgeMs: Infinity, maxBytes: Infinity, ...retention };
  },
};

/** Of RECORD_MIN_FREE, in bytes. */
export const recordMinFree: Variable<number> = {
  shownDefault: '2GB',
  description:
    'Free space of the disk of `RECORD_DIR` that recordings leave to everything else: below it recording stops, and nothing else does. `0`: none.',
  allowed: '0, or a size such as 500MB or 2GB',
  defaultValue: 2e9,
  parse(value) {
    if (value === '0') return 0;
    const size = readRetention(value);
    return size?.maxAgeMs === undefined ? size?.maxBytes : undefined;
  },
};
