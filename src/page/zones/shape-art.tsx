/** A zone or a line as it is drawn. */
import type { DraftShape } from './draft.js';
import type { PlacedFault } from './faults.js';
import { arrowOf, type Point } from './geometry.js';

/** How a shape is drawn. */
export interface ShapeArtProps {
  /** What is drawn. */
  readonly shape: DraftShape;
  /** Width by height of the picture, which is 1000 high here. */
  readonly aspect: number;
  /** Of its lines. */
  readonly colour: string;
  /** Whether it is edited now. */
  readonly isSelected: boolean;
  /** Its own. */
  readonly faults: readonly PlacedFault[];
  /** Somebody takes hold of it. */
  readonly onPointerDown: (event: PointerEvent) => void;
}

const ORIGIN: Point = [0, 0];

/** An area, or a line with the arrow of its direction `in`. */
export function ShapeArt({ shape, aspect, colour, isSelected, faults, onPointerDown }: ShapeArtProps) {
  const { kind, points } = shape;
  const at = ([x, y]: Point): Point => [x * 1000 * aspect, y * 1000];
  const corners = points.map((point) => at(point).join(',')).join(' ');
  const wrong = faults.filter(({ field }) => field === 'polygon').flatMap((fault) => (fault.code === 'outside' ? [] : fault.corners));
  return (
    <g class={`shape ${kind} ${isSelected ? 'selected' : ''}`} style={{ '--colour': colour }} onPointerDown={onPointerDown}>
      {kind === 'zone' ? <polygon points={corners} /> : <LineArt points={points} at={at} aspect={aspect} />}
      {wrong.map((corner) => {
        const [a, b] = [points[corner], points[(corner + 1) % points.length]];
        return a && b && <polyline class="wrong" key={corner} points={`${at(a).join(',')} ${at(b).join(',')}`} />;
      })}
    </g>
  );
}

function LineArt({
  points,
  at,
  aspect,
}: {
  readonly points: readonly Point[];
  readonly at: (point: Point) => Point;
  readonly aspect: number;
}) {
  const [from = ORIGIN, to = ORIGIN] = points;
  const [start, tip] = arrowOf(from, to, aspect).map(at) as [Point, Point];
  const [dx, dy] = [(tip[0] - start[0]) / 90, (tip[1] - start[1]) / 90];
  const wing = (side: number): string => `${tip[0] - dx * 26 - dy * 18 * side},${tip[1] - dy * 26 + dx * 18 * side}`;
  const ends = `${at(from).join(',')} ${at(to).join(',')}`;
  return (
    <>
      <polyline class="reach" points={ends} />
      <polyline points={ends} />
      <polyline points={`${start.join(',')} ${tip.join(',')}`} />
      <polygon class="tip" points={`${tip.join(',')} ${wing(1)} ${wing(-1)}`} />
    </>
  );
}
