/** What keys mean on a timeline that has the focus. */
import { stepOf } from './scale.js';
import type { TimelineState } from './state.js';

const ZOOM = 2;

/** Does what a key means. True where it means something. */
export function pressed(key: string, { looking, moves, headS, whole }: TimelineState): boolean {
  const step = stepOf(looking.span.peek());
  const does: Readonly<Record<string, () => unknown>> = {
    ArrowLeft: () => moves.by(-step),
    ArrowDown: () => moves.by(-step),
    ArrowRight: () => moves.by(step),
    ArrowUp: () => moves.by(step),
    PageUp: () => moves.by(step * 10),
    PageDown: () => moves.by(-step * 10),
    Home: () => moves.goTo(whole.fromS),
    End: () => moves.live(),
    '+': () => looking.zoom(ZOOM, headS, headS),
    '=': () => looking.zoom(ZOOM, headS, headS),
    '-': () => looking.zoom(1 / ZOOM, headS, headS),
    i: () => looking.mark('in', headS),
    o: () => looking.mark('out', headS),
    Escape: () => looking.unmark(),
  };
  const action = Object.hasOwn(does, key) ? does[key] : undefined;
  if (!action) return false;
  action();
  if (key !== 'Escape') looking.follows.value = true;
  return true;
}
