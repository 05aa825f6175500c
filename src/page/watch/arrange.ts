/** The list as a person wants it: searched, sorted, in groups. Knows no DOM. */
import type { ListedSource } from '../api/sources.js';
import { words } from '../strings/index.js';
import { isLive } from './card.js';

/** In which order. `listed`: the server's. */
export type SortBy = 'listed' | 'name' | 'state';
/** In which groups. `prefix`: by what comes before the first `.`, `_` or `-` of a name, where several have it. */
export type GroupBy = 'none' | 'state' | 'prefix';

/** What a person wants of the list. */
export interface Arrangement {
  /** Words that all have to be in the name, or in what is said of the source; empty: everything. */
  readonly search: string;
  /** In which order. */
  readonly sort: SortBy;
  /** In which groups. */
  readonly group: GroupBy;
}

/** Some sources under a name. */
export interface Group {
  /** For a person; empty where there are no groups. */
  readonly title: string;
  /** In order. */
  readonly sources: readonly ListedSource[];
}

/** What there is of a source. */
export type Presence = 'live' | 'offline' | 'file';

/** What there is of it now. */
export function presenceOf(video: Pick<ListedSource, 'kind' | 'state' | 'playable'>): Presence {
  if (isLive(video)) return video.state === undefined || video.state === 'live' ? 'live' : 'offline';
  return video.playable ? 'file' : 'offline';
}

const PRESENCES: readonly Presence[] = ['live', 'offline', 'file'];

/** The groups that are shown; those without a source are left out. */
export function arrange(sources: readonly ListedSource[], { search, sort, group }: Arrangement): readonly Group[] {
  const wanted = plain(search).split(/\s+/).filter(Boolean);
  const found = wanted.length === 0 ? sources : sources.filter((video) => matches(video, wanted));
  const sorted = sort === 'listed' ? found : [...found].sort(ORDERS[sort]);
  if (group === 'none') return sorted.length === 0 ? [] : [{ title: '', sources: sorted }];
  return group === 'state' ? byState(sorted) : byPrefix(sorted);
}

const names = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
const byName = (a: ListedSource, b: ListedSource): number => names.compare(a.name, b.name);
const ORDERS: Readonly<Record<Exclude<SortBy, 'listed'>, (a: ListedSource, b: ListedSource) => number>> = {
  name: byName,
  // What is dark wants somebody's eyes.
  state: (a, b) => rank(a) - rank(b) || byName(a, b),
};

function rank(video: ListedSource): number {
  return (['offline', 'live', 'file'] as const).indexOf(presenceOf(video));
}

function byState(sources: readonly ListedSource[]): readonly Group[] {
  const { presences } = words.value.watch.list;
  return PRESENCES.map((presence) => ({
    title: presences[presence],
    sources: sources.filter((video) => presenceOf(video) === presence),
  })).filter((each) => each.sources.length > 0);
}

function byPrefix(sources: readonly ListedSource[]): readonly Group[] {
  const members = new Map<string, ListedSource[]>();
  for (const video of sources) {
    const prefix = prefixOf(video);
    members.set(prefix, [...(members.get(prefix) ?? []), video]);
  }
  const isShared = (prefix: string): boolean => prefix !== '' && (members.get(prefix)?.length ?? 0) > 1;
  const rest = sources.filter((video) => !isShared(prefixOf(video)));
  return [
    ...[...members].filter(([prefix]) => isShared(prefix)).map(([title, group]) => ({ title, sources: group })),
    ...(rest.length === 0 ? [] : [{ title: words.value.watch.list.others, sources: rest }]),
  ];
}

/** The end of a file's name begins no group. */
function prefixOf({ name }: ListedSource): string {
  return /^(.+?)[._-]/u.exec(name.replace(/\.[^.]{1,5}$/, ''))?.[1] ?? '';
}

function matches(video: ListedSource, wanted: readonly string[]): boolean {
  const text = plain(`${video.name} ${video.source} ${video.reason ?? ''}`);
  return wanted.every((word) => text.includes(word));
}

/** Without accents and case, so that `tur` finds `Tür`. */
function plain(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}
