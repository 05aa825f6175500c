/** The cards: one per source, updated in place so that focus and snapshots stay where they are. */
import { make, within } from '../shared/dom.js';
import { badge, facts, hasSnapshot, isLive, notes, snapshotUrl } from './card.js';
import type { ListedVideo } from './listing.js';

/** A snapshot may be made after the file is listed; a few looks later it is there or never will be. */
const SNAPSHOT_ATTEMPTS = 6;

/** What a gallery needs to know. */
export interface GalleryInit {
  /** A card was chosen. */
  readonly onChoose: (source: string) => void;
}

interface Card {
  readonly item: HTMLLIElement;
  readonly button: HTMLButtonElement;
  readonly place: HTMLElement;
  /** Equal while nothing of the card changes. */
  readonly signature: string;
  /** Equal while its snapshot holds. */
  readonly pictured: string;
  attempts: number;
}

/** The list of cards. */
export class Gallery {
  readonly #list: HTMLElement;
  readonly #init: GalleryInit;
  readonly #cards = new Map<string, Card>();

  constructor(list: HTMLElement, init: GalleryInit) {
    this.#list = list;
    this.#init = init;
  }

  /** Asks again for snapshots that were refused. */
  retrySnapshots(): void {
    for (const card of this.#cards.values()) card.attempts = 0;
  }

  /** Shows these videos in this order. */
  update(videos: Iterable<ListedVideo>): void {
    const listed = [...videos];
    const present = new Set(listed.map(({ source }) => source));
    for (const [source, { item }] of this.#cards) {
      if (present.has(source)) continue;
      item.remove();
      this.#cards.delete(source);
    }
    listed.forEach((video, index) => {
      const card = this.#cardOf(video);
      if (this.#list.children[index] !== card.item) this.#list.insertBefore(card.item, this.#list.children[index] ?? null);
      this.#showSnapshot(video, card);
    });
  }

  /** Marks the card that is on the stage. */
  select(source: string | undefined): void {
    for (const [name, { button }] of this.#cards) {
      if (name === source) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
    }
  }

  /** Moves the keyboard to a card. */
  focus(source: string | undefined): void {
    if (source !== undefined) this.#cards.get(source)?.button.focus();
  }

  /** The card of a video, made anew where something of it has changed. */
  #cardOf(video: ListedVideo): Card {
    const before = this.#cards.get(video.source);
    const signature = JSON.stringify(video);
    if (before?.signature === signature) return before;
    // A camera's figures change all the time, and its snapshot stays until it goes or comes back.
    const pictured = isLive(video) ? (video.state ?? '') : signature;
    const isSame = before?.pictured === pictured;
    const card = { ...this.#made(video), signature, pictured, attempts: isSame ? before.attempts : 0 };
    if (before) replace(before, card, isSame);
    this.#cards.set(video.source, card);
    return card;
  }

  #made(video: ListedVideo): Pick<Card, 'item' | 'button' | 'place'> {
    const button = make('button', { className: 'card', type: 'button', disabled: !video.playable });
    button.addEventListener('click', () => this.#init.onChoose(video.source));
    button.dataset['source'] = video.source;
    button.append(
      make('span', { className: 'snapshot' }),
      make('span', { className: 'name', textContent: video.name, dir: 'auto' }),
      ...[{ className: 'facts', textContent: facts(video) }, badge(video), ...notes(video)].map((note) => make('span', note)),
    );
    const item = make('li');
    item.append(button);
    return { item, button, place: within(button, '.snapshot', HTMLElement) };
  }

  #showSnapshot(video: ListedVideo, card: Card): void {
    if (!hasSnapshot(video) || card.place.firstChild || card.attempts >= SNAPSHOT_ATTEMPTS) return;
    card.attempts++;
    const src = `${snapshotUrl(video)}&attempt=${card.attempts}`;
    const image = make('img', { alt: '', decoding: 'async', src });
    image.addEventListener('error', () => image.remove());
    card.place.append(image);
  }
}

function replace(before: Card, card: Card, keepsSnapshot: boolean): void {
  const hadFocus = before.item.contains(document.activeElement);
  before.item.replaceWith(card.item);
  if (hadFocus) card.button.focus();
  if (keepsSnapshot) card.place.append(...before.place.childNodes);
}
