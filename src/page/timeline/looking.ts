/** What the person looks at on a timeline: which stretch, whether it follows what plays, and what is marked. */
import { signal } from '@preact/signals';
import { centred, lengthOf, moved, pinched, showing, within, zoomed, type Span } from './scale.js';

/** What is marked for a clip, Unix seconds; undefined where it is not. */
export interface Marked {
  /** Its beginning. */
  readonly inS: number | undefined;
  /** Its end. */
  readonly outS: number | undefined;
}

const FIRST_LENGTH_S = 3600;

/** Of one timeline. */
export class Looking {
  /** What is seen. */
  readonly span;
  /** It moves with what plays. */
  readonly follows = signal(true);
  /** Begins before it ends. */
  readonly marked = signal<Marked>({ inS: undefined, outS: undefined });
  readonly #whole: () => Span;

  /** @param headS what is shown, Unix seconds @param whole from the first recorded moment to the present */
  constructor(headS: number, whole: () => Span) {
    this.#whole = whole;
    this.span = signal<Span>(showing(centred(headS - FIRST_LENGTH_S / 2, FIRST_LENGTH_S), headS));
  }

  /** What plays has moved there. */
  follow(headS: number): void {
    if (this.follows.peek()) this.span.value = showing(this.span.peek(), headS);
  }

  /** @param factor above 1: less is seen @param headS what is shown: where that is still seen, it is followed on */
  zoom(factor: number, aroundS: number, headS: number): void {
    this.#set(zoomed(this.span.peek(), factor, aroundS), headS);
  }

  /** @param share of what is seen; negative: earlier */
  pan(share: number, headS: number): void {
    const span = this.span.peek();
    this.#set(moved(span, share * lengthOf(span)), headS);
  }

  /** See `pinched`. */
  pinch(width: number, before: readonly [number, number], now: readonly [number, number], headS: number): void {
    this.#set(pinched(this.span.peek(), width, before, now), headS);
  }

  /** A time is wanted: it is seen, and what plays from there is followed. */
  goTo(atS: number): void {
    this.follows.value = true;
    this.span.value = showing(this.span.peek(), atS);
  }

  /** One end of a clip; the other one goes where it would end before it begins. */
  mark(end: 'in' | 'out', momentS: number): void {
    // As exact as a server is asked.
    const atS = Math.round(momentS * 1000) / 1000;
    const { inS, outS } = this.marked.peek();
    if (end === 'in') this.marked.value = { inS: atS, outS: outS !== undefined && outS > atS ? outS : undefined };
    else this.marked.value = { inS: inS !== undefined && inS < atS ? inS : undefined, outS: atS };
  }

  /** Nothing is marked. */
  unmark(): void {
    this.marked.value = { inS: undefined, outS: undefined };
  }

  #set(span: Span, headS: number): void {
    const next = within(span, this.#whole());
    this.span.value = next;
    this.follows.value = headS >= next.fromS && headS <= next.toS;
  }
}
