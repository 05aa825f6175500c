/** UDP ports of media. */
import type { Variable } from './variable.js';

/** Undefined: one port for all. */
export const portRange: Variable<readonly [number, number] | undefined> = {
  shownDefault: 'none',
  description: 'UDP ports for media, `first-last`: one for each client instead of one for all.',
  allowed: 'two ports in [1024, 65535], the first below the last',
  defaultValue: undefined,
  parse(value) {
    const match = /^(\d+)-(\d+)$/.exec(value);
    const first = Number(match?.[1]);
    const last = Number(match?.[2]);
    return first >= 1024 && last <= 65_535 && first < last ? [first, last] : undefined;
  },
};

/** Undefined: that of HTTP. */
export const udpPort: Variable<number | 'any' | undefined> = {
  shownDefault: '`PORT`',
  description:
    'UDP port for media of all clients; `any`: ports for each client. Where `PORT` is 0, the number that HTTP got, if it is free.',
  allowed: 'an integer in [1, 65535], or any',
  defaultValue: undefined,
  parse(value) {
    const port = /^\d+$/.test(value) ? Number(value) : NaN;
    return value === 'any' ? value : port >= 1 && port <= 65_535 ? port : undefined;
  },
};
