/** Says that something is not saved before it is left: by a link, by Back, or by closing the page. */
import { useEffect, useState } from 'preact/hooks';
import { go, holdBack } from '../app/router.js';
import { words } from '../strings/index.js';
import { Dialog } from '../ui/dialog.js';
import type { ZoneEditor } from './editor.js';

/** A dialog when it is time. */
export function LeaveGuard({ editor }: { readonly editor: ZoneEditor }) {
  const [wanted, setWanted] = useState<string | undefined>(undefined);
  const text = words.value.zones;
  const isDirty = editor.isDirty.value;
  useEffect(() => {
    if (!isDirty) return;
    const end = new AbortController();
    addEventListener('beforeunload', (event) => event.preventDefault(), { signal: end.signal });
    const release = holdBack((hash) => {
      setWanted(hash);
      return true;
    });
    return () => {
      end.abort();
      release();
    };
  }, [isDirty]);
  if (wanted === undefined) return null;
  const stay = (): void => setWanted(undefined);
  const leave = (): void => {
    holdBack(() => false)();
    go(wanted);
  };
  return (
    <Dialog title={text.unsaved} onClose={stay}>
      <p>{text.unsavedText}</p>
      <div class="zones-buttons">
        <button type="button" class="button main" onClick={() => void editor.save().then((isSaved) => (isSaved ? leave() : stay()))}>
          {text.saveAndLeave}
        </button>
        <button type="button" class="button" onClick={leave}>
          {text.leaveUnsaved}
        </button>
        <button type="button" class="button" onClick={stay}>
          {text.stay}
        </button>
      </div>
    </Dialog>
  );
}
