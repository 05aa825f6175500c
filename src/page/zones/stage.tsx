/** The picture with what is drawn over it, and handles for the shape that is selected. */
import { useRef } from 'preact/hooks';
import { colourOf } from './colours.js';
import { DrawingLayer } from './drawing-layer.js';
import type { DraftShape } from './draft.js';
import type { ZoneEditor } from './editor.js';
import { centreOf } from './geometry.js';
import { Handles } from './handles.js';
import { movedShape } from './edits.js';
import { Picture } from './picture.js';
import { follow, placeOf } from './place.js';
import { ShapeArt } from './shape-art.js';

/** What a stage shows. */
export interface StageProps {
  /** What is edited. */
  readonly editor: ZoneEditor;
  /** False: it is looked at alone. */
  readonly canEdit: boolean;
  /** Whether the picture moves. */
  readonly isLive: boolean;
}

/** The picture, and everything that lies over it. */
export function Stage({ editor, canEdit, isLive }: StageProps) {
  const element = useRef<HTMLDivElement>(null);
  const shapes = editor.draft.value?.shapes ?? [];
  const selectedKey = editor.selection.value?.key;
  const aspect = editor.aspect.value;
  const drag = (event: PointerEvent, key: number): void => {
    event.preventDefault();
    editor.selection.value = { key };
    const stage = element.current;
    if (!canEdit || !stage) return;
    const start = placeOf(stage, event);
    const before = editor.draft.value?.shapes.find((shape) => shape.key === key);
    const step = `drag ${event.timeStamp}`;
    const move = (next: PointerEvent): void => {
      const [x, y] = placeOf(stage, next);
      if (before) editor.changeShape(key, () => movedShape(before, [x - start[0], y - start[1]]), step);
    };
    follow(stage, event.pointerId, move);
  };
  // The one that is selected lies over the others.
  const ordered = [...shapes].sort((a, b) => Number(a.key === selectedKey) - Number(b.key === selectedKey));
  return (
    <div class="zones-stage" ref={element} style={{ aspectRatio: String(aspect), '--aspect': String(aspect) }}>
      <Picture source={editor.source} isLive={isLive} />
      <svg class="zones-art" viewBox={`0 0 ${1000 * aspect} 1000`} aria-hidden="true">
        {ordered.map((shape) => (
          <ShapeArt
            key={shape.key}
            shape={shape}
            aspect={aspect}
            colour={colourOf(shapes, shape.key)}
            isSelected={shape.key === selectedKey}
            faults={editor.faults.value.filter(({ key }) => key === shape.key)}
            onPointerDown={(event) => drag(event, shape.key)}
          />
        ))}
      </svg>
      {shapes.map((shape) => (
        <Label key={shape.key} shape={shape} />
      ))}
      {canEdit && editor.drawing.value && <DrawingLayer editor={editor} />}
      {canEdit && !editor.drawing.value && editor.selected.value && (
        <Handles key={selectedKey} editor={editor} shape={editor.selected.value} colour={colourOf(shapes, editor.selected.value.key)} />
      )}
    </div>
  );
}

/** Of the page's own size, whatever the size of the picture. */
function Label({ shape: { id, kind, points } }: { readonly shape: DraftShape }) {
  const [x, y] = centreOf(points);
  return (
    <span class={`zones-label ${kind}`} style={{ left: `${x * 100}%`, top: `${y * 100}%` }} aria-hidden="true">
      {id}
    </span>
  );
}
