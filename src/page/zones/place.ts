/** From pointers to places in the picture. */
import { inside, type Point } from './geometry.js';

/** Where a pointer is over an element, as a fraction of it. */
export function placeOf(element: Element, { clientX, clientY }: { readonly clientX: number; readonly clientY: number }): Point {
  const { left, top, width, height } = element.getBoundingClientRect();
  return inside([(clientX - left) / width, (clientY - top) / height]);
}

/** Which way an arrow key leads, in pixels of the screen; undefined for other keys. Shift goes ten times as far. */
export function arrowStep({ key, shiftKey }: { readonly key: string; readonly shiftKey: boolean }): Point | undefined {
  const far = shiftKey ? 10 : 1;
  if (key === 'ArrowLeft') return [-far, 0];
  if (key === 'ArrowRight') return [far, 0];
  if (key === 'ArrowUp') return [0, -far];
  if (key === 'ArrowDown') return [0, far];
  return undefined;
}

/** Calls `move` until that pointer is let go. */
export function follow(element: HTMLElement, pointerId: number, move: (event: PointerEvent) => void): void {
  const end = new AbortController();
  const { signal } = end;
  element.setPointerCapture(pointerId);
  element.addEventListener('pointermove', (event) => event.pointerId === pointerId && move(event), { signal });
  for (const name of ['pointerup', 'pointercancel', 'lostpointercapture'] as const)
    element.addEventListener(name, (event) => event.pointerId === pointerId && end.abort(), { signal });
}
