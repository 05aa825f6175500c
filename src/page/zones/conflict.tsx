/** Somebody else has saved other zones since these were read. */
import { words } from '../strings/index.js';
import { Dialog } from '../ui/dialog.js';
import { announce } from '../ui/announcer.js';
import type { ZoneEditor } from './editor.js';

/** Theirs, or ours, or to go on and decide later. */
export function Conflict({ editor }: { readonly editor: ZoneEditor }) {
  const text = words.value.zones;
  const later = (): void => void (editor.isOvertaken.value = false);
  return (
    <Dialog title={text.overtaken} onClose={later}>
      <p>{text.overtakenText}</p>
      <div class="zones-buttons">
        <button type="button" class="button" onClick={() => void editor.load()}>
          {text.loadTheirs}
        </button>
        <button
          type="button"
          class="button"
          onClick={() => {
            later();
            void editor.save(true).then((isSaved) => isSaved && announce(text.saved));
          }}
        >
          {text.overwrite}
        </button>
        <button type="button" class="button" onClick={later}>
          {words.value.shell.cancel}
        </button>
      </div>
    </Dialog>
  );
}
