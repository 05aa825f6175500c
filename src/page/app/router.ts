/**
 * The address says what is shown, so links and the back button work. `#/source/view` is a source that is watched; every other view has
 * a name without a slash before it, as in `#events?type=zone_entered` or `#zones/front%20door`: no source can be called so.
 */
import { signal } from '@preact/signals';

/** What a hash names. */
export interface Address {
  /** Name of a view; `watch` for sources and for none at all. */
  readonly view: string;
  /** What follows the name, decoded: `#zones/front%20door` has `front door`. For `watch` the source and how it is looked at. */
  readonly path: readonly string[];
  /** What follows the question mark. */
  readonly query: URLSearchParams;
}

/** The address now. */
export const address = signal<Address>(parse(''));

/** Of what is shown. */
let shownHash = '';
let guard: ((hash: string) => boolean) | undefined;

/** Follows the hash of this page from now on. */
export function followAddress(): void {
  const follow = (): void => {
    if (location.hash === shownHash) return;
    // The browser has gone there already: links, Back and what was typed are all held here.
    if (guard?.(location.hash) === true) return history.pushState(null, '', shownHash === '' ? location.pathname : shownHash);
    shownHash = location.hash;
    address.value = parse(shownHash);
  };
  addEventListener('hashchange', follow);
  follow();
}

/**
 * Asks before something else is shown, until the returned function is called.
 * @param isHeld told where to; true: what is shown stays
 */
export function holdBack(isHeld: (hash: string) => boolean): () => void {
  guard = isHeld;
  return () => {
    if (guard === isHeld) guard = undefined;
  };
}

/** What a hash names. @param hash of a location: empty, or beginning with `#` */
export function parse(hash: string): Address {
  const [before, after] = split(hash.replace(/^#/, ''));
  const query = new URLSearchParams(after);
  const [view = '', ...path] = before.split('/');
  return { view: view || 'watch', path: path.map(decoded).filter((segment) => segment !== ''), query };
}

/** The hash of a view. @param query members that are undefined or empty are left out */
export function hashOf(view: string, path: readonly string[] = [], query: Readonly<Record<string, string | undefined>> = {}): string {
  const members = Object.entries(query).flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, value]]));
  const search = new URLSearchParams(members).toString();
  return `#${[view, ...path.map(encodeURIComponent)].join('/')}${search === '' ? '' : `?${search}`}`;
}

/** The hash of a source that is watched. @param view such as `overlay`; left out: as it was @param at in the past, Unix seconds */
export function watchHash(source: string, view = '', at?: number): string {
  return `#/${encodeURIComponent(source)}${view === '' ? '' : `/${view}`}${at === undefined ? '' : `?at=${at}`}`;
}

/** Shows another view, which Back leaves again. */
export function go(hash: string): void {
  location.hash = hash;
}

/** Writes what is shown into the address without another step for Back. */
export function rewrite(hash: string): void {
  history.replaceState(null, '', hash);
  shownHash = hash;
  address.value = parse(hash);
}

function split(text: string): [string, string] {
  const at = text.indexOf('?');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** A mangled link names what it names. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
