/** The zones of a source: which one, then its editor. */
import { useEffect, useState } from 'preact/hooks';
import { address } from '../app/router.js';
import { SourceChoice } from './source-choice.js';
import { EditorView } from './editor-view.js';
import { ZoneEditor } from './editor.js';

/** At `#zones` and `#zones/<source>`. */
export function ZonesView() {
  const [source] = address.value.path;
  return source === undefined || source === '' ? <SourceChoice /> : <Opened key={source} source={source} />;
}

function Opened({ source }: { readonly source: string }) {
  const [editor, setEditor] = useState<ZoneEditor | undefined>(undefined);
  useEffect(() => {
    const opened = new ZoneEditor(source);
    setEditor(opened);
    return () => opened.close();
  }, [source]);
  return editor ? <EditorView editor={editor} /> : null;
}
