/** Who uses this page, and what they may do (docs/security.md). */
import { signal } from '@preact/signals';
import { getJson, RequestError } from './request.js';

/** A right, as the server names it. */
export type Right = 'watch' | 'data' | 'publish' | 'ice' | 'playback' | 'metrics' | 'admin';

/** Who asks, as `GET /login` answers. */
export interface Me {
  /** Null: nobody in particular, who may do what everybody may, or what this machine may. */
  readonly user: string | null;
  /** Rights for one source at least. */
  readonly actions: readonly Right[];
  /** Rights for all sources. */
  readonly everywhere: readonly Right[];
  /** When the login ends at the latest, Unix seconds; left out: there is none. */
  readonly expires_at?: number;
}

/** Undefined until the server has said it, and while it cannot be asked for the first time. */
export const me = signal<Me | undefined>(undefined);

let asked = 0;

/** Asks again: at the start, after a login or logout, and where something was refused. Never rejects; what was known stays where nobody answers. */
export async function refreshMe(): Promise<void> {
  const turn = ++asked;
  const answer = await getJson<Me>('/login').catch((error: unknown) => {
    if (!(error instanceof RequestError)) throw error;
    return error.status === 401 ? ({ user: null, actions: [], everywhere: [] } as const) : undefined;
  });
  if (answer && turn === asked) me.value = answer;
}

/** Whether they have a right for one source at least; false until that is known. Reads the signal `me`. */
export function may(right: Right): boolean {
  return me.value?.actions.includes(right) ?? false;
}
