/** Buttons over the picture for the corners of the selected shape, and for another corner in the middle of each edge. */
import { useEffect, useRef } from 'preact/hooks';
import { words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import type { DraftShape } from './draft.js';
import { aim } from './drawing.js';
import { addedCorner, movedCorner, movedShape, removedCorner } from './edits.js';
import type { ZoneEditor } from './editor.js';
import { distance, middleOf, type Point } from './geometry.js';
import { arrowStep, follow, placeOf } from './place.js';

/** Edges that are shorter, in heights of the picture, have no room for a button. */
const MIN_EDGE = 0.16;

/** What handles are for. */
export interface HandlesProps {
  /** What is edited. */
  readonly editor: ZoneEditor;
  /** The one that is selected. */
  readonly shape: DraftShape;
  /** Of the shape. */
  readonly colour: string;
}

/** Of one shape. */
export function Handles({ editor, shape, colour }: HandlesProps) {
  const element = useRef<HTMLDivElement>(null);
  const text = words.value.zones;
  const { key, points, kind } = shape;
  const corner = editor.selection.value?.corner;
  useEffect(() => {
    if (corner !== undefined) element.current?.querySelector<HTMLElement>(`[data-corner="${corner}"]`)?.focus({ preventScroll: true });
  }, [corner, points.length]);

  const drag = (event: PointerEvent, index: number): void => {
    const stage = element.current?.parentElement;
    if (!stage || event.button !== 0) return;
    event.preventDefault();
    editor.selection.value = { key, corner: index };
    const step = `corner ${event.timeStamp}`;
    follow(stage, event.pointerId, (next) => {
      const to = aim(editor, placeOf(stage, next), key);
      editor.changeShape(key, (now) => movedCorner(now, index, to), step);
    });
  };
  const insert = (edge: number): void => {
    editor.changeShape(key, (now) => addedCorner(now, edge));
    editor.selection.value = { key, corner: edge + 1 };
    announce(text.cornerAdded);
  };
  const remove = (index: number): void => {
    if (removedCorner(shape, index) === shape) return announce(kind === 'line' ? text.lineHasTwo : text.zoneHasThree);
    editor.changeShape(key, (now) => removedCorner(now, index));
    editor.selection.value = { key, corner: Math.max(0, index - 1) };
    announce(text.cornerRemoved);
  };
  const onKeyDown = (event: KeyboardEvent, index: number): void => {
    const step = arrowStep(event);
    const stage = element.current?.getBoundingClientRect();
    if (step && stage) {
      event.preventDefault();
      const by: Point = [step[0] / stage.width, step[1] / stage.height];
      if (event.altKey) editor.changeShape(key, (now) => movedShape(now, by), 'keys all');
      else editor.changeShape(key, (now) => nudged(now, index, by), `keys ${index}`);
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      event.preventDefault();
      remove(index);
    } else if (event.key === 'Escape') {
      editor.selection.value = undefined;
    }
  };
  const wrong = new Set(
    editor.faults.value.filter((fault) => fault.key === key && fault.field === 'polygon').flatMap(({ corners }) => corners),
  );
  return (
    <div class="zones-handles" ref={element} role="group" aria-label={text.cornersOf(shape.id)} style={{ '--colour': colour }}>
      {points.map((point, index) => (
        <button
          type="button"
          key={`corner ${index}`}
          class={`corner ${wrong.has(index) ? 'wrong' : ''}`}
          data-corner={index}
          style={placed(point)}
          aria-label={text.corner(kind, index, percent(point[0]), percent(point[1]))}
          aria-keyshortcuts="ArrowLeft ArrowRight ArrowUp ArrowDown Delete"
          onPointerDown={(event) => drag(event, index)}
          onKeyDown={(event) => onKeyDown(event, index)}
          onFocus={() => (editor.selection.value = { key, corner: index })}
        />
      ))}
      {kind === 'zone' &&
        points.map((point, edge) => {
          const next = points[(edge + 1) % points.length] as Point;
          if (distance(point, next, editor.aspect.value) < MIN_EDGE) return null;
          return (
            <button
              type="button"
              key={`edge ${edge}`}
              class="middle"
              style={placed(middleOf(points, edge))}
              aria-label={text.addCorner(edge + 1, ((edge + 1) % points.length) + 1)}
              onClick={(event) => event.detail === 0 && insert(edge)}
              onPointerDown={(event) => {
                insert(edge);
                drag(event, edge + 1);
              }}
            />
          );
        })}
    </div>
  );
}

function nudged(shape: DraftShape, corner: number, [dx, dy]: Point): DraftShape {
  const [x, y] = shape.points[corner] ?? [0, 0];
  return movedCorner(shape, corner, [x + dx, y + dy]);
}

function placed([x, y]: Point): { readonly left: string; readonly top: string } {
  return { left: `${x * 100}%`, top: `${y * 100}%` };
}

function percent(value: number): number {
  return Math.round(value * 100);
}
