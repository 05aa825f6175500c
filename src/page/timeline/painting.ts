/** Keeps the canvas of a timeline as it should be: in the size of its place and of the display's pixels, and in today's colours. */
import { effect, signal, type ReadonlySignal } from '@preact/signals';
import { serverNowS } from '../api/server-clock.js';
import { language } from '../strings/index.js';
import { timeText, zone } from './chosen-zone.js';
import { HEIGHT_PX, paint, type Look } from './painter.js';
import { lengthOf } from './scale.js';
import type { TimelineState } from './state.js';
import { ticksOf, type Tick } from './ticks.js';

const LABEL_PX = 84;
const SHORTEST_TICK_MS = 50;
const LONGEST_TICK_MS = 1000;
/** A screen reader is told the time that passes by so often. */
const SPOKEN_S = 60;

/** Paints until the returned function is called. @param onWidth in pixels, at first and whenever it changes */
export function keepPainted(canvas: HTMLCanvasElement, state: TimelineState, onWidth: (width: number) => void): () => void {
  const context = canvas.getContext('2d');
  const width = signal(canvas.clientWidth);
  const looks = signal(0);
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const draw = (): void => {
    frame = 0;
    const ratio = devicePixelRatio;
    const [wide, high] = [Math.round(width.peek() * ratio), Math.round(HEIGHT_PX * ratio)];
    if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
    if (context && wide > 0) paint(context, width.peek(), ratio, sceneOf(state, width.peek()), lookOf(canvas));
  };
  const soon = (): void => {
    frame ||= requestAnimationFrame(draw);
  };
  const tick = (): void => {
    const { headS, looking } = state;
    state.follow();
    if (Math.abs(headS - state.spokenS.peek()) >= SPOKEN_S) state.spokenS.value = headS;
    soon();
    const pixelMs = (lengthOf(looking.span.peek()) / Math.max(1, width.peek())) * 1000;
    timer = setTimeout(tick, Math.min(LONGEST_TICK_MS, Math.max(SHORTEST_TICK_MS, pixelMs)));
  };
  const relook = (): void => {
    looks.value++;
  };
  const observer = new ResizeObserver(() => (width.value = canvas.clientWidth));
  observer.observe(canvas);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', relook);
  const stop = effect(() => {
    onWidth(width.value);
    state.history.show(state.looking.span.value, width.value);
    changesOf(state, looks);
    soon();
  });
  tick();
  return () => {
    stop();
    observer.disconnect();
    dark.removeEventListener('change', relook);
    clearTimeout(timer);
    cancelAnimationFrame(frame);
  };
}

/** Whoever reads this is called again when something else is to be drawn. */
function changesOf({ history, position, pointerS, moves, looking }: TimelineState, looks: ReadonlySignal<number>): readonly unknown[] {
  const signals = [looks, history.known, history.kept, position, pointerS, moves.draggedTo, looking.marked, zone, language];
  return signals.map((each) => each.value);
}

function sceneOf(state: TimelineState, width: number): Parameters<typeof paint>[3] {
  const { history, looking, headS, pointerS } = state;
  const span = looking.span.peek();
  const ticks = ticksOf(span, zone.peek(), width / LABEL_PX).map((tick) => ({ ...tick, text: tickText(tick) }));
  return {
    span,
    known: history.known.peek(),
    kept: history.kept.peek(),
    ticks,
    nowS: serverNowS(),
    headS,
    pointerS: pointerS.peek(),
    marked: looking.marked.peek(),
  };
}

function tickText({ atS, unit }: Tick): string {
  if (unit === 'day') return timeText(atS, { weekday: 'short', day: 'numeric', month: 'short' });
  return timeText(atS, { hour: '2-digit', minute: '2-digit', ...(unit === 'second' && { second: '2-digit' }) });
}

function lookOf(canvas: HTMLCanvasElement): Look {
  const style = getComputedStyle(canvas);
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: of('ink'),
    soft: of('soft'),
    line: of('line'),
    panel: of('panel'),
    accent: of('accent'),
    warn: of('warn'),
    font: `12px ${style.fontFamily}`,
  };
}
