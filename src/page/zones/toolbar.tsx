/** What can be done with all of it. */
import { words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import { Icon } from '../ui/icon.js';
import { begin } from './drawing.js';
import type { ZoneEditor } from './editor.js';

/** Of an editor. */
export interface ToolbarProps {
  /** What is edited. */
  readonly editor: ZoneEditor;
  /** False: it is looked at alone. */
  readonly canEdit: boolean;
  /** Whether the picture moves. */
  readonly isLive: boolean;
  /** It is to move, or to stand still. */
  readonly onLive: (isLive: boolean) => void;
}

/** Drawing, undoing, the picture, and saving. */
export function Toolbar({ editor, canEdit, isLive, onLive }: ToolbarProps) {
  const text = words.value.zones;
  const { isDirty, isSaving, drawing } = editor;
  const kind = drawing.value?.kind;
  return (
    <div class="zones-tools" role="toolbar" aria-label={text.tools}>
      {canEdit && (
        <>
          <button type="button" class="button" aria-pressed={kind === 'zone'} onClick={() => toggle(editor, 'zone')}>
            <Icon name="zones" /> {text.newZone}
          </button>
          <button type="button" class="button" aria-pressed={kind === 'line'} onClick={() => toggle(editor, 'line')}>
            <Icon name="line" /> {text.newLine}
          </button>
          <button
            type="button"
            class="button square"
            aria-label={text.undo}
            title={`${text.undo} (Ctrl+Z)`}
            disabled={!editor.canUndo.value}
            onClick={() => editor.undo()}
          >
            <Icon name="undo" />
          </button>
          <button
            type="button"
            class="button square"
            aria-label={text.redo}
            title={`${text.redo} (Ctrl+Y)`}
            disabled={!editor.canRedo.value}
            onClick={() => editor.redo()}
          >
            <Icon name="redo" />
          </button>
        </>
      )}
      <button type="button" class="button" aria-pressed={isLive} onClick={() => onLive(!isLive)}>
        <Icon name="watch" /> {text.live}
      </button>
      {canEdit && (
        <div class="zones-save">
          <span role="status">{isDirty.value ? text.unsaved : ''}</span>
          <button type="button" class="button" disabled={!isDirty.value} onClick={() => editor.discard()}>
            {text.discard}
          </button>
          <button type="button" class="button main" disabled={!isDirty.value || isSaving.value} onClick={() => void saveAndTell(editor)}>
            {isSaving.value ? text.saving : text.save}
          </button>
        </div>
      )}
    </div>
  );
}

/** Writes it, and says so. */
export async function saveAndTell(editor: ZoneEditor): Promise<void> {
  if (await editor.save()) announce(words.value.zones.saved);
}

function toggle(editor: ZoneEditor, kind: 'zone' | 'line'): void {
  if (editor.drawing.value?.kind === kind) editor.drawing.value = undefined;
  else begin(editor, kind);
}
