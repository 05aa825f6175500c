/** Nothing but pictures: full screen where the browser allows it, and a screen that stays on. */
import { useEffect } from 'preact/hooks';
import { WakeLock } from '../shared/wake-lock.js';
import { change } from './model.js';

/** By somebody's click: a browser allows the full screen to nobody else. */
export function enterKiosk(): void {
  change({ kiosk: true });
  // A phone's browser may have no full screen at all.
  const page: Partial<Pick<HTMLElement, 'requestFullscreen'>> = document.documentElement;
  void page.requestFullscreen?.().catch(() => undefined);
}

/** Back to the page. */
export function leaveKiosk(): void {
  change({ kiosk: false });
  if (document.fullscreenElement) void document.exitFullscreen().catch(() => undefined);
}

/** Hides what is around the wall while that is wanted. */
export function useKiosk(isWanted: boolean): void {
  useEffect(() => {
    if (!isWanted) return undefined;
    const { classList } = document.documentElement;
    const lock = new WakeLock();
    const stop = new AbortController();
    const { signal } = stop;
    classList.add('kiosk');
    void lock.hold();
    // A browser lets the screen go with each page that is hidden.
    document.addEventListener('visibilitychange', () => void lock.hold(), { signal });
    document.addEventListener('fullscreenchange', () => document.fullscreenElement === null && leaveKiosk(), { signal });
    document.addEventListener('keydown', ({ key, defaultPrevented }) => key === 'Escape' && !defaultPrevented && leaveKiosk(), { signal });
    return () => {
      stop.abort();
      lock.release();
      classList.remove('kiosk');
    };
  }, [isWanted]);
}
