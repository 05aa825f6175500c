/** Over the picture while another shape is drawn: by clicks, or by keys that move a cross. */
import { useEffect, useRef } from 'preact/hooks';
import { words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import { back, finish, hover, set } from './drawing.js';
import type { ZoneEditor } from './editor.js';
import { inside, type Point } from './geometry.js';
import { arrowStep, placeOf } from './place.js';

/** A key moves the cross by so many pixels, and with Shift ten times as far. */
const STEP_PX = 4;
const MIDDLE: Point = [0.5, 0.5];

/** Takes clicks and keys. */
export function DrawingLayer({ editor }: { readonly editor: ZoneEditor }) {
  const element = useRef<HTMLDivElement>(null);
  const text = words.value.zones;
  const drawing = editor.drawing.value;
  useEffect(() => element.current?.focus({ preventScroll: true }), []);
  if (!drawing) return null;
  const aspect = editor.aspect.value;
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = arrowStep(event);
    const box = element.current?.getBoundingClientRect();
    const [x, y] = drawing.cursor ?? MIDDLE;
    if (step && box) hoverExactly(editor, inside([x + (step[0] * STEP_PX) / box.width, y + (step[1] * STEP_PX) / box.height]));
    else if (event.key === ' ') set(editor, drawing.cursor ?? MIDDLE);
    else if (event.key === 'Enter') finish(editor);
    else if (event.key === 'Backspace') back(editor);
    else if (event.key === 'Escape') editor.drawing.value = undefined;
    else return;
    event.preventDefault();
    if (event.key === ' ' && editor.drawing.value) announce(text.cornersSoFar(editor.drawing.value.points.length));
  };
  const at = ([px, py]: Point): string => `${px * 1000 * aspect},${py * 1000}`;
  const ahead = drawing.cursor ? [...drawing.points, drawing.cursor] : drawing.points;
  return (
    <div
      class="zones-drawing"
      ref={element}
      role="application"
      tabindex={0}
      aria-label={text.drawingHelp(drawing.kind)}
      onKeyDown={onKeyDown}
      onPointerMove={(event) => element.current && hover(editor, placeOf(element.current, event))}
      onPointerDown={(event) => {
        event.preventDefault();
        element.current?.focus({ preventScroll: true });
        if (element.current && event.button === 0) set(editor, placeOf(element.current, event));
      }}
      onDblClick={() => finish(editor)}
    >
      <svg class="zones-art" viewBox={`0 0 ${1000 * aspect} 1000`} aria-hidden="true">
        <polyline class="ahead" points={ahead.map(at).join(' ')} />
        {drawing.points.map((point, index) => (
          <circle key={index} class={index === 0 ? 'first' : ''} cx={point[0] * 1000 * aspect} cy={point[1] * 1000} r={11} />
        ))}
        {drawing.cursor && <Cross point={drawing.cursor} aspect={aspect} />}
      </svg>
    </div>
  );
}

function Cross({ point: [x, y], aspect }: { readonly point: Point; readonly aspect: number }) {
  const [cx, cy] = [x * 1000 * aspect, y * 1000];
  return <path class="cross" d={`M${cx - 24} ${cy}H${cx + 24}M${cx} ${cy - 24}V${cy + 24}`} />;
}

/** Keys go where they say: nothing draws the cross to a side that it has to leave again. */
function hoverExactly(editor: ZoneEditor, cursor: Point): void {
  const drawing = editor.drawing.value;
  if (drawing) editor.drawing.value = { ...drawing, cursor };
}
