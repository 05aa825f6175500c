/** What happens, told as it happens. */
import { addressOf } from './address.js';
import type { ServerEvent } from './events.js';

/** A browser that was refused, or whose server is gone for long, does not ask again by itself. */
const AGAIN_MS = 15_000;

/**
 * Follows events of these types until the returned function is called. The browser connects again by itself, and is told what it missed.
 * @param types such as `enter`
 */
export function followEvents(types: readonly string[], onEvent: (event: ServerEvent) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stream: EventSource | undefined;
  const open = (): void => {
    stream = new EventSource(addressOf(`/events/stream?type=${types.join(',')}`));
    for (const type of types) stream.addEventListener(type, ({ data }: MessageEvent<string>) => onEvent(JSON.parse(data) as ServerEvent));
    stream.addEventListener('error', () => {
      if (stream?.readyState === EventSource.CLOSED) timer = setTimeout(open, AGAIN_MS);
    });
  };
  open();
  return () => {
    clearTimeout(timer);
    stream?.close();
  };
}
