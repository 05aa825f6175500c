/** How large an element is, and whether anybody can see it. */
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Size } from './layout.js';

/** Where an element is on the screen. */
export interface Place extends Size {
  /** False where it is scrolled away or hidden. */
  readonly isSeen: boolean;
}

/** Tells of each change while the element is there. */
export function usePlace(element: RefObject<HTMLElement | null>, onChange: (place: Place) => void): void {
  const listener = useRef(onChange);
  listener.current = onChange;
  useEffect(() => {
    const { current } = element;
    if (!current) return undefined;
    let place: Place = { width: current.clientWidth, height: current.clientHeight, isSeen: true };
    const tell = (change: Partial<Place>): void => listener.current((place = { ...place, ...change }));
    const sizes = new ResizeObserver(() => tell({ width: current.clientWidth, height: current.clientHeight }));
    // A little before it comes into sight.
    const sights = new IntersectionObserver((entries) => tell({ isSeen: entries.at(-1)?.isIntersecting ?? true }), { rootMargin: '80px' });
    sizes.observe(current);
    sights.observe(current);
    return () => {
      sizes.disconnect();
      sights.disconnect();
    };
  }, [element]);
}
