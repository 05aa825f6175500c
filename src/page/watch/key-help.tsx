/** Which keys there are. */
import { words } from '../strings/index.js';
import { Dialog } from '../ui/dialog.js';
import { KEYS, type KeyAction } from './keys.js';

/** @param onClose it was closed */
export function KeyHelp({ onClose }: { readonly onClose: () => void }) {
  const { keys } = words.value.watch;
  return (
    <Dialog title={keys.title} onClose={onClose}>
      <dl class="keys">
        {KEYS.map(([key, action]) => (
          <div key={key}>
            <dt>
              <kbd>{keys.names[key] ?? key}</kbd>
            </dt>
            <dd>{textOf(action)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

function textOf(action: KeyAction): string {
  const { keys, views, view } = words.value.watch;
  return action === 'raw' || action === 'processed' || action === 'overlay' || action === 'both'
    ? `${view}: ${views[action]}`
    : keys.does[action];
}
