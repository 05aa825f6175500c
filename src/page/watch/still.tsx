/** A snapshot on a card: asked for when the card is seen, and again where it could not be had. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { addressOf } from '../api/address.js';
import { stills } from './still-queue.js';

/** A snapshot may be made after the file is listed; a few looks later it is there or never will be. */
const ATTEMPTS = 6;
const AGAIN_MS = 4_000;

/** @param path of the snapshot; undefined: there is none @param current something else: it is asked for afresh */
export function Still({ path, current }: { readonly path: string | undefined; readonly current: string }) {
  const place = useRef<HTMLSpanElement>(null);
  const isSeen = useSeen(place);
  const [attempt, setAttempt] = useState(1);
  const [src, setSrc] = useState<string>();
  const [retries, setRetries] = useState(0);
  const finish = useRef<() => void>(() => undefined);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  useEffect(() => {
    setAttempt(1);
    setRetries((count) => count + 1);
  }, [current]);
  useEffect(() => {
    if (path === undefined || !isSeen) return;
    const give = stills.ask((done) => {
      finish.current = done;
      setSrc(`${addressOf(path)}&attempt=${attempt}`);
    });
    return () => {
      clearTimeout(timer.current);
      give();
    };
  }, [path, isSeen, attempt, retries]);

  const failed = (): void => {
    finish.current();
    setSrc(undefined);
    if (attempt < ATTEMPTS) timer.current = setTimeout(() => setAttempt(attempt + 1), AGAIN_MS);
  };
  return (
    <span class="snapshot" ref={place}>
      {src !== undefined && path !== undefined && (
        <img alt="" decoding="async" loading="lazy" fetchpriority="low" src={src} onLoad={() => finish.current()} onError={failed} />
      )}
    </span>
  );
}

/** Whether an element has been on the screen, or nearly. */
function useSeen(element: { readonly current: Element | null }): boolean {
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    if (isSeen || !element.current) return;
    const observer = new IntersectionObserver((entries) => entries.some(({ isIntersecting }) => isIntersecting) && setSeen(true), {
      rootMargin: '200px',
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [isSeen]);
  return isSeen;
}
