/** Tokens, and what may be done without one. */
import { itemsOf, text, type Variable } from './variable.js';

/** Shorter ones can be guessed. */
export const MIN_TOKEN_CHARS = 16;
/** Others cannot be told in an HTTP header. */
const TOKEN = /^[!-~]{16,512}$/;

/** Of PUBLISH_TOKENS, by room. */
export const roomTokens: Variable<ReadonlyMap<string, string>> = {
  shownDefault: 'none',
  description:
    'Bearer tokens of publishers by room, `*` for all others: `gate=EvTbEeyPfVxEdAyh,*=hw1Rc2BGlF1Rw8Zq`. Where anybody has a token, rooms without one are closed.',
  allowed: `room=token pairs, comma separated; tokens of ${MIN_TOKEN_CHARS} to 512 printable ASCII characters without blanks and commas`,
  defaultValue: new Map(),
  parse(value) {
    const tokens = new Map<string, string>();
    for (const part of itemsOf(value)) {
      const match = /^([A-Za-z0-9._-]{1,64}|\*)=([!-~]{16,512})$/.exec(part);
      if (!match?.[1] || !match[2] || tokens.has(match[1])) return undefined;
      tokens.set(match[1], match[2]);
    }
    return tokens;
  },
};

/** Of one principal; empty: there is none. */
export function bearerToken(description: string): Variable<string> {
  return {
    ...text('', 'none', description),
    allowed: `${MIN_TOKEN_CHARS} to 512 printable ASCII characters without blanks`,
    parse: (value) => (TOKEN.test(value) ? value : undefined),
  };
}

/** Of ALLOW_ANONYMOUS. */
export const anonymous: Variable<'off' | 'watch' | 'all'> = {
  shownDefault: 'off',
  description:
    'What everybody may do without a token: `watch` (with detections and ICE servers), or `all`, administration included, for networks where everybody is trusted.',
  allowed: 'off, watch or all',
  defaultValue: 'off',
  parse: (value) => (value === 'off' || value === 'watch' || value === 'all' ? value : undefined),
};
