/** The stretch of time that is seen, and where each instant of it lies. All instants are Unix seconds. Knows no DOM. */

/** A stretch of time. */
export interface Span {
  /** Its beginning. */
  readonly fromS: number;
  /** Its end. */
  readonly toS: number;
}

/** The least that is seen at once. */
export const SHORTEST_S = 1;
/** The most that is seen at once. */
export const LONGEST_S = 7 * 86_400;

/** How long a stretch is. */
export function lengthOf({ fromS, toS }: Span): number {
  return toS - fromS;
}

/** Where an instant lies. @param width of what is seen; the unit of the result */
export function positionOf(span: Span, width: number, atS: number): number {
  return ((atS - span.fromS) / lengthOf(span)) * width;
}

/** The instant at a place. */
export function instantAt(span: Span, width: number, x: number): number {
  return width <= 0 ? span.fromS : span.fromS + (x / width) * lengthOf(span);
}

/** The same instant stays where it is. @param factor above 1: less is seen */
export function zoomed(span: Span, factor: number, aroundS: number): Span {
  const length = Math.min(LONGEST_S, Math.max(SHORTEST_S, lengthOf(span) / factor));
  const share = (aroundS - span.fromS) / lengthOf(span);
  return { fromS: aroundS - share * length, toS: aroundS + (1 - share) * length };
}

/** What lies so much later. */
export function moved({ fromS, toS }: Span, byS: number): Span {
  return { fromS: fromS + byS, toS: toS + byS };
}

/** Two fingers hold two instants: the stretch in which they lie where the fingers are now. */
export function pinched(span: Span, width: number, before: readonly [number, number], now: readonly [number, number]): Span {
  const apart = Math.abs(now[1] - now[0]);
  const wasApart = Math.abs(before[1] - before[0]);
  const [middleBefore, middle] = [(before[0] + before[1]) / 2, (now[0] + now[1]) / 2];
  const held = instantAt(span, width, middleBefore);
  const wide = zoomed(span, wasApart > 0 && apart > 0 ? apart / wasApart : 1, held);
  return moved(wide, instantAt(wide, width, middleBefore) - instantAt(wide, width, middle));
}

/** The same length, moved so that it shows something of a stretch: nobody gets lost where nothing is. */
export function within(span: Span, { fromS, toS }: Span): Span {
  const length = lengthOf(span);
  const [first, last] = [fromS - length / 2, toS + length / 2];
  if (length >= last - first) return centred((fromS + toS) / 2, length);
  if (span.fromS < first) return { fromS: first, toS: first + length };
  return span.toS > last ? { fromS: last - length, toS: last } : span;
}

/** A stretch around an instant. */
export function centred(atS: number, length: number): Span {
  return { fromS: atS - length / 2, toS: atS + length / 2 };
}

/** Moved so that an instant is seen with some of what follows; itself where it is. @param margin share of the length */
export function showing(span: Span, atS: number, margin = 0.05): Span {
  const edge = lengthOf(span) * margin;
  if (atS >= span.fromS + edge && atS <= span.toS - edge) return span;
  const length = lengthOf(span);
  return atS > span.toS - edge
    ? { fromS: atS - length * 0.8, toS: atS + length * 0.2 }
    : { fromS: atS - length * 0.2, toS: atS + length * 0.8 };
}

/** How far one goes with an arrow key: a hundredth of what is seen, in figures that people count in. */
export function stepOf(span: Span): number {
  const wanted = lengthOf(span) / 100;
  return ARROW_STEPS.find((step) => step >= wanted) ?? 3600;
}

const ARROW_STEPS = [0.04, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600];
