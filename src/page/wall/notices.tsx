/** What is wrong with the whole wall, in one place. */
import { nameOf } from '../api/sources.js';
import { explain } from '../shared/explain.js';
import { words } from '../strings/index.js';
import type { WallSession } from './session.js';

/** What notices are made of. */
export interface NoticesProps {
  /** The wall's connection. */
  readonly session: WallSession;
  /** Why the wall that was named is not shown. */
  readonly fault: string | undefined;
  /** Sources whose pictures are larger than they need be. */
  readonly lacking: readonly string[];
}

/** Nothing where all is well. */
export function WallNotices({ session, fault, lacking }: NoticesProps) {
  const text = words.value.wall;
  const change = session.state.value;
  const isTroubled = change?.reason !== undefined && change.state !== 'playing' && change.state !== 'closed';
  const { title, text: what } = explain(change?.reason ?? { message: '' });
  const retry = change?.retryInS === undefined ? '' : text.again(Math.ceil(change.retryInS));
  return (
    <div class="wall-notices" role="status" aria-live="polite">
      {fault !== undefined && <p class="wall-fault">{fault}</p>}
      {isTroubled && (
        <p class="wall-fault">
          {[`${title}.`, what, retry].filter(Boolean).join(' ')}{' '}
          <button type="button" class="button" onClick={() => session.retry()}>
            {text.tryAgain}
          </button>
        </p>
      )}
      {lacking.length > 0 && <p class="wall-lacking">{text.noRungs(lacking.map(nameOf))}</p>}
    </div>
  );
}
