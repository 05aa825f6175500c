/** Keeps a list up with what happens: told by the server, or looked for again and again. */
import { signal, type ReadonlySignal } from '@preact/signals';
import { SCENE_TYPES, type EventQuery } from '../api/events.js';
import { words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import type { Feed } from './feed.js';
import { SYSTEM_TYPES } from './filters.js';
import { eventItem, type Item } from './items.js';
import { LiveEvents } from './live-events.js';

/** What comes within that time is announced in one sentence. */
const ANNOUNCE_MS = 4_000;
const LOOK_MS = 15_000;

/** What keeps a list up, until `close`. */
export interface KeepingUp {
  /** What happens comes. */
  readonly isOpen: ReadonlySignal<boolean>;
  /** Idempotent. */
  close(): void;
}

/** By the stream of events. */
export function keepUpByStream(feed: Feed<Item>, query: EventQuery): KeepingUp {
  const announcer = new Arrivals();
  const types = [...SCENE_TYPES.split(','), ...SYSTEM_TYPES];
  const [newest] = feed.items.peek();
  const live = new LiveEvents(query, types, newest?.key, (event) => {
    const item = eventItem(event);
    feed.add([item]);
    announcer.add(item.title);
  });
  return {
    isOpen: live.isOpen,
    close: () => {
      live.close();
      announcer.close();
    },
  };
}

/** By looking at the first page again, while the page is seen. */
export function keepUpByLooking(feed: Feed<Item>): KeepingUp {
  const announcer = new Arrivals();
  const look = async (): Promise<void> => {
    if (document.visibilityState !== 'visible') return;
    const count = await feed.refresh();
    const [newest] = feed.items.peek();
    if (newest) for (let i = 0; i < count; i++) announcer.add(newest.title);
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  return {
    isOpen: signal(true),
    close: () => {
      clearInterval(timer);
      announcer.close();
    },
  };
}

/** Says what has come, not too often. */
class Arrivals {
  #count = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #newest = '';

  add(title: string): void {
    this.#count++;
    this.#newest = title;
    this.#timer ??= setTimeout(() => {
      announce(words.value.events.arrived(this.#count, this.#newest));
      this.#count = 0;
      this.#timer = undefined;
    }, ANNOUNCE_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
