/** Drawing another shape, corner by corner. */
import { freeId } from './draft.js';
import type { Drawing, ZoneEditor } from './editor.js';
import { distance, snapped, type Point } from './geometry.js';

/** How near the first corner another one closes a zone, in heights of the picture. */
const CLOSE = 0.03;

/** Begins. */
export function begin(editor: ZoneEditor, kind: Drawing['kind']): void {
  editor.selection.value = undefined;
  editor.drawing.value = { kind, points: [], cursor: undefined };
}

/** Where a corner would be set: at a corner or a side that is near. @param except key of a shape whose own corners do not draw it */
export function aim(editor: ZoneEditor, at: Point, except?: number): Point {
  const corners = (editor.draft.value?.shapes ?? []).filter(({ key }) => key !== except).flatMap(({ points }) => points);
  return snapped(at, [...(editor.drawing.value?.points ?? []), ...corners], editor.aspect.value);
}

/** The cross moves. */
export function hover(editor: ZoneEditor, at: Point): void {
  const drawing = editor.drawing.value;
  if (drawing) editor.drawing.value = { ...drawing, cursor: aim(editor, at) };
}

/** Sets a corner; a line ends with the second one, a zone with one at its first. */
export function set(editor: ZoneEditor, at: Point): void {
  const drawing = editor.drawing.value;
  if (!drawing) return;
  const point = aim(editor, at);
  const [first] = drawing.points;
  const last = drawing.points.at(-1);
  if (first && drawing.points.length >= 3 && distance(first, point, editor.aspect.value) < CLOSE) return finish(editor);
  if (last && distance(last, point, editor.aspect.value) < 0.002) return;
  const points = [...drawing.points, point];
  editor.drawing.value = { ...drawing, points, cursor: point };
  if (drawing.kind === 'line' && points.length === 2) finish(editor);
}

/** Takes the last corner back; without one drawing ends. */
export function back(editor: ZoneEditor): void {
  const drawing = editor.drawing.value;
  if (drawing && drawing.points.length > 0) editor.drawing.value = { ...drawing, points: drawing.points.slice(0, -1) };
  else editor.drawing.value = undefined;
}

/** What was drawn becomes a shape, where it has corners enough; else drawing goes on. */
export function finish(editor: ZoneEditor): void {
  const drawing = editor.drawing.value;
  if (!drawing || drawing.points.length < (drawing.kind === 'line' ? 2 : 3)) return;
  const id = freeId(editor.draft.value?.shapes ?? [], drawing.kind);
  editor.drawing.value = undefined;
  editor.add({ kind: drawing.kind, id, points: drawing.points, classes: undefined, minScore: 0, minDwellMs: 0 });
}
