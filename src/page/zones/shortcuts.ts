/** Keys that hold wherever the focus is. */
import { useEffect } from 'preact/hooks';
import type { ZoneEditor } from './editor.js';
import { saveAndTell } from './toolbar.js';

/** Undo, redo and save, while the editor is there. */
export function useShortcuts(editor: ZoneEditor, canEdit: boolean | undefined): void {
  useEffect(() => {
    if (canEdit !== true) return;
    const end = new AbortController();
    addEventListener('keydown', (event) => press(editor, event), { signal: end.signal });
    return () => end.abort();
  }, [editor, canEdit]);
}

function press(editor: ZoneEditor, event: KeyboardEvent): void {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || document.querySelector('dialog[open]')) return;
  const key = event.key.toLowerCase();
  // What is typed has steps of its own.
  const isTyping = event.target instanceof HTMLInputElement && event.target.type === 'text';
  if (key === 's' && editor.isDirty.value) void saveAndTell(editor);
  else if (key === 'z' && !event.shiftKey && !isTyping) editor.undo();
  else if ((key === 'y' || (key === 'z' && event.shiftKey)) && !isTyping) editor.redo();
  else return;
  event.preventDefault();
}
