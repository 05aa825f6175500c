/** What is there under the pointer: a small picture, the time, and what happened. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ServerEvent } from '../api/events.js';
import { eventText } from '../events/event-text.js';
import { momentText } from './chosen-zone.js';
import { instantAt, lengthOf, positionOf } from './scale.js';
import type { TimelineState } from './state.js';
import { Thumbnails, type Thumbnail } from './thumbnails.js';

const PICTURE_PX = 192;
/** A mark is this near to the pointer. */
const NEAR_PX = 6;
/** Pictures of a recording are about so far apart. */
const APART_S = 2;

/** Over the place that the pointer is at. @param width pixels of the timeline */
export function Preview({ state, width }: { readonly state: TimelineState; readonly width: number }) {
  const atS = state.moves.draggedTo.value ?? state.pointerS.value;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [hasPicture, setHasPicture] = useState(false);
  const thumbnails = useRef<Thumbnails | undefined>(undefined);
  useEffect(() => {
    const made = new Thumbnails(state.source, (picture) => {
      if (picture) draw(canvas.current, picture);
      setHasPicture(picture !== undefined);
    });
    thumbnails.current = made;
    return () => made.close();
  }, [state.source]);
  const span = state.looking.span.value;
  useEffect(() => {
    if (atS === undefined) thumbnails.current?.stop();
    else thumbnails.current?.want(atS, Math.max(APART_S, (lengthOf(span) / Math.max(1, width)) * NEAR_PX));
  }, [atS, span, width]);
  const known = state.history.known.value;
  const x = atS === undefined ? 0 : positionOf(span, width, atS);
  const nearby = atS === undefined ? undefined : nearest(known?.events ?? [], atS, instantAt(span, width, NEAR_PX) - span.fromS);
  const half = Math.min(PICTURE_PX / 2, width / 2);
  return (
    <div
      class="timeline-preview"
      hidden={atS === undefined}
      style={{ left: `${Math.min(Math.max(x, half), width - half)}px` }}
      aria-hidden="true"
    >
      <canvas ref={canvas} width={320} height={180} hidden={!hasPicture} />
      <span class="timeline-preview-text">
        {atS === undefined ? '' : momentText(nearby?.at ?? atS)}
        {nearby && <strong dir="auto">{eventText(nearby)}</strong>}
      </span>
    </div>
  );
}

/** The event at the pointer, if there is one. @param withinS how near it has to be, seconds */
export function nearest(events: readonly ServerEvent[], atS: number, withinS: number): ServerEvent | undefined {
  let found: ServerEvent | undefined;
  for (const event of events) {
    const distance = Math.abs(event.at - atS);
    if (distance <= withinS && (!found || distance < Math.abs(found.at - atS))) found = event;
  }
  return found;
}

function draw(canvas: HTMLCanvasElement | null, { image }: Thumbnail): void {
  if (!canvas) return;
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext('2d')?.drawImage(image, 0, 0);
}
