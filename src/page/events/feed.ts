/** A long list that is read page by page, as far as somebody looks, with what is new on top. */
import { signal } from '@preact/signals';
import { RequestError } from '../api/request.js';

/** What a list is of. */
export interface FeedItem {
  /** Tells it from all others. */
  readonly key: string;
}

/** Some of it. */
interface FeedPage<Item> {
  /** In order. */
  readonly items: readonly Item[];
  /** Where those that follow begin; null where there are none. */
  readonly next: string | null;
}

/** Reads a page. @param after where it begins; undefined: at the top */
export type ReadPage<Item> = (after: string | undefined, signal: AbortSignal) => Promise<FeedPage<Item>>;

/** Of what has come by itself, no more is kept: the rest is read again where somebody looks. */
const MAX_ITEMS = 3000;

/** One list, until `close`. */
export class Feed<Item extends FeedItem> {
  /** As far as it has been read. */
  readonly items = signal<readonly Item[]>([]);
  /** Undefined before the first page; null: everything has been read. */
  readonly next = signal<string | null | undefined>(undefined);
  /** A page is on its way. */
  readonly isLoading = signal(false);
  /** Why the last page did not come; undefined where it did. */
  readonly trouble = signal<RequestError | undefined>(undefined);
  readonly #readPage: ReadPage<Item>;
  readonly #ended = new AbortController();

  /** Reads its first page at once. */
  constructor(readPage: ReadPage<Item>) {
    this.#readPage = readPage;
    void this.more();
  }

  /** Reads the next page, unless one is on its way or there is none. Never rejects. */
  async more(): Promise<void> {
    if (this.isLoading.peek() || this.next.peek() === null) return;
    this.isLoading.value = true;
    await this.#try(async (signal) => {
      const { items, next } = await this.#readPage(this.next.peek() ?? undefined, signal);
      const known = new Set(this.items.peek().map(({ key }) => key));
      this.items.value = [...this.items.peek(), ...items.filter(({ key }) => !known.has(key))];
      this.next.value = next;
    });
    this.isLoading.value = false;
  }

  /** Reads the first page again and puts what is new on top; how many that are. */
  async refresh(): Promise<number> {
    const before = this.items.peek().length;
    if (this.next.peek() === undefined) {
      await this.more();
      return 0;
    }
    await this.#try(async (signal) => {
      const { items } = await this.#readPage(undefined, signal);
      this.add(items);
    });
    return this.items.peek().length - before;
  }

  /** Puts these on top, the newest first, unless they are there. */
  add(items: readonly Item[]): void {
    const known = new Set(this.items.peek().map(({ key }) => key));
    const fresh = items.filter(({ key }) => !known.has(key));
    if (fresh.length > 0 && this.items.peek().length + fresh.length <= MAX_ITEMS) this.items.value = [...fresh, ...this.items.peek()];
  }

  /** Idempotent. */
  close(): void {
    this.#ended.abort();
  }

  async #try(read: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.#ended;
    try {
      await read(signal);
      this.trouble.value = undefined;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RequestError)) throw error;
      this.trouble.value = error;
    }
  }
}
