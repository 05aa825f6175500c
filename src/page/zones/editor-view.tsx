/** The editor of one source: tools above, the picture, and what is selected beside it. */
import { useEffect, useState } from 'preact/hooks';
import { getJson } from '../api/request.js';
import { may, type Me } from '../api/me.js';
import { nameOf, sourceList } from '../api/sources.js';
import { hashOf, watchHash } from '../app/router.js';
import { faultText } from '../strings/faults.js';
import { words } from '../strings/index.js';
import { Conflict } from './conflict.js';
import { Fields } from './fields.js';
import { LeaveGuard } from './leave-guard.js';
import { ShapeList } from './shape-list.js';
import { Settings } from './settings.js';
import { Stage } from './stage.js';
import { Toolbar } from './toolbar.js';
import { useShortcuts } from './shortcuts.js';
import type { ZoneEditor } from './editor.js';

/** For one source. */
export function EditorView({ editor }: { readonly editor: ZoneEditor }) {
  const text = words.value.zones;
  const canEdit = useMayEdit(editor.source);
  const [isLive, setIsLive] = useState(false);
  useEffect(() => sourceList.hold(), []);
  useEffect(() => void (canEdit === true && editor.readLabels()), [editor, canEdit]);
  useShortcuts(editor, canEdit);
  const { value: trouble } = editor.trouble;
  const isThere = editor.draft.value !== undefined;
  const other = editor.faults.value.filter(({ key }) => key === undefined);
  return (
    <section class="zones" aria-labelledby="zones-title">
      <header class="zones-head">
        <h2 id="zones-title" dir="auto" title={nameOf(editor.source)}>
          {text.of(nameOf(editor.source))}
        </h2>
        <a href={hashOf('zones')}>{text.others}</a>
        <a href={watchHash(editor.source)}>{text.watch}</a>
      </header>
      {canEdit === false && <p class="zones-note">{text.readOnly}</p>}
      {trouble !== undefined && (
        <div class="zones-trouble" role="alert">
          <p>{faultText(trouble)}</p>
          {!isThere && (
            <button type="button" class="button" onClick={() => void editor.load()}>
              {text.again}
            </button>
          )}
        </div>
      )}
      {other.length > 0 && <p class="zones-trouble">{other.map(({ code }) => text.fault(code)).join(' ')}</p>}
      {!isThere && trouble === undefined && <p role="status">{words.value.shell.loading}</p>}
      {isThere && (
        <>
          <Toolbar editor={editor} canEdit={canEdit === true} isLive={isLive} onLive={setIsLive} />
          <div class="zones-work">
            <div class="zones-scene">
              <Stage editor={editor} canEdit={canEdit === true} isLive={isLive} />
              <Hint editor={editor} canEdit={canEdit === true} />
            </div>
            <div class="zones-side">
              <ShapeList editor={editor} />
              {canEdit && editor.selected.value && <Fields key={editor.selected.value.key} editor={editor} shape={editor.selected.value} />}
              {canEdit && <Settings editor={editor} />}
            </div>
          </div>
        </>
      )}
      {editor.isOvertaken.value && <Conflict editor={editor} />}
      <LeaveGuard editor={editor} />
    </section>
  );
}

function Hint({ editor, canEdit }: { readonly editor: ZoneEditor; readonly canEdit: boolean }) {
  const text = words.value.zones;
  const drawing = editor.drawing.value;
  if (!canEdit) return null;
  const hint = drawing ? text.drawingHelp(drawing.kind) : editor.selected.value ? text.cornerHelp : text.startHelp;
  return <p class="zones-hint">{hint}</p>;
}

/** Undefined until the server has said it. */
function useMayEdit(source: string): boolean | undefined {
  const [isAllowed, setIsAllowed] = useState<boolean | undefined>(undefined);
  const isAdmin = may('admin');
  useEffect(() => {
    const end = new AbortController();
    void getJson<Me>(`/login?source=${encodeURIComponent(source)}`, end.signal).then(
      ({ actions }) => setIsAllowed(actions.includes('admin')),
      () => !end.signal.aborted && setIsAllowed(isAdmin),
    );
    return () => end.abort();
  }, [source, isAdmin]);
  return isAllowed;
}
