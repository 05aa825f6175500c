/** The timeline itself: what happened, and where the player is; a slider for keys and screen readers. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { TargetedPointerEvent } from 'preact';
import { serverNowS } from '../api/server-clock.js';
import { words } from '../strings/index.js';
import { timeText } from './chosen-zone.js';
import { Gestures, type Gesture } from './gestures.js';
import { pressed } from './keys.js';
import { keepPainted } from './painting.js';
import { nearest, Preview } from './preview.js';
import { instantAt } from './scale.js';
import type { TimelineState } from './state.js';

const WHEEL_ZOOM = 1.0015;
const MARK_PX = 6;
/** Lines and pages of a wheel, in pixels. */
const WHEEL_UNITS = [1, 16, 400];

/** Of one source. */
export function Track({ state }: { readonly state: TimelineState }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const place = useRef(0);
  place.current = width;
  const gestures = useMemo(() => new Gestures((gesture) => act(state, place.current, gesture)), [state]);
  useEffect(() => (canvas.current ? keepPainted(canvas.current, state, setWidth) : undefined), [state]);
  useEffect(() => {
    const element = canvas.current;
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      wheel(state, place.current, event);
    };
    // Preact's own listeners are passive, and the page would move as well.
    element?.addEventListener('wheel', onWheel, { passive: false });
    return () => element?.removeEventListener('wheel', onWheel);
  }, [state]);

  const touchOf = (event: TargetedPointerEvent<HTMLElement>) => ({
    id: event.pointerId,
    x: event.clientX - event.currentTarget.getBoundingClientRect().left,
  });
  const { timeline } = words.value;
  const { state: what } = state.position.value;
  const spokenS = state.spokenS.value;
  const recorded = state.history.recorded.value;
  const moment = timeText(spokenS, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return (
    <div
      class="timeline-track"
      role="slider"
      tabIndex={0}
      aria-label={timeline.slider}
      aria-valuemin={Math.floor(recorded?.fromS ?? 0)}
      aria-valuemax={Math.ceil(Math.max(serverNowS(), spokenS))}
      aria-valuenow={Math.round(spokenS)}
      aria-valuetext={what === 'live' ? timeline.spokenLive(moment) : moment}
      data-span={`${state.looking.span.value.fromS} ${state.looking.span.value.toS}`}
      aria-keyshortcuts="I O Plus Minus"
      onKeyDown={(event) => {
        if (event.ctrlKey || event.metaKey || event.altKey || !pressed(event.key, state)) return;
        event.preventDefault();
        event.stopPropagation();
        state.spokenS.value = state.headS;
      }}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        gestures.down(touchOf(event));
      }}
      onPointerMove={(event) => {
        gestures.move(touchOf(event));
        if (event.pointerType !== 'touch') state.pointerS.value = instantAt(state.looking.span.peek(), width, touchOf(event).x);
      }}
      onPointerUp={(event) => gestures.up(touchOf(event))}
      onPointerCancel={(event) => gestures.cancel(touchOf(event))}
      onPointerLeave={() => (state.pointerS.value = undefined)}
    >
      <canvas ref={canvas} aria-hidden="true" />
      <Preview state={state} width={width} />
    </div>
  );
}

function act(state: TimelineState, width: number, gesture: Gesture): void {
  const { looking, moves, history } = state;
  const span = looking.span.peek();
  if (gesture.kind === 'pinch') return looking.pinch(width, gesture.before, gesture.now, state.headS);
  if (gesture.kind === 'drag-cancel') return void moves.cancelDrag();
  const atS = instantAt(span, width, gesture.x);
  if (gesture.kind === 'drag-start') return moves.beginDrag(atS);
  if (gesture.kind === 'drag') return moves.drag(atS);
  if (gesture.kind === 'drag-end') return void moves.endDrag(atS);
  const mark = nearest(history.known.peek()?.events ?? [], atS, instantAt(span, width, MARK_PX) - span.fromS);
  looking.follows.value = true;
  void moves.goTo(mark?.at ?? atS);
}

/** Up and down zooms, sideways moves. */
function wheel(state: TimelineState, width: number, event: WheelEvent): void {
  const { looking, headS } = state;
  const unit = WHEEL_UNITS[event.deltaMode] ?? 1;
  const [across, along] = event.shiftKey && event.deltaX === 0 ? [event.deltaY, 0] : [event.deltaX, event.deltaY];
  if (Math.abs(across) > Math.abs(along)) looking.pan((across * unit) / Math.max(1, width), headS);
  // A pinch on a touch pad comes as a wheel with the control key, in small figures.
  else looking.zoom(WHEEL_ZOOM ** (-along * unit * (event.ctrlKey ? 5 : 1)), instantAt(looking.span.peek(), width, event.offsetX), headS);
}
