/** Events and search: what has happened, what was seen, and the way to its moment. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { may, me } from '../api/me.js';
import { recordingList } from '../api/recordings.js';
import { serverNowS } from '../api/server-clock.js';
import { sourceList } from '../api/sources.js';
import { address, hashOf, rewrite } from '../app/router.js';
import { faultText } from '../strings/faults.js';
import { language, words } from '../strings/index.js';
import { zone } from '../timeline/chosen-zone.js';
import { EventList } from './event-list.js';
import { Feed } from './feed.js';
import { FilterBar } from './filter-bar.js';
import {
  eventQuery,
  isFiltered,
  isOfNow,
  KINDS,
  readFilters,
  seenQuery,
  stretchOf,
  type Field,
  type Filters,
  type Kind,
} from './filters.js';
import { eventPages, seenPages, type Item } from './items.js';
import { keepUpByLooking, keepUpByStream, type KeepingUp } from './keep-up.js';

/** At `#events/<kind>?<filters>`. */
export function EventsView() {
  const { events, shell } = words.value;
  const [mayPlayBack, mayData] = [may('playback'), may('data')];
  useEffect(() => (mayPlayBack ? recordingList.hold() : undefined), [mayPlayBack]);
  useEffect(() => sourceList.hold(), []);
  const kinds = KINDS.filter((kind) => (kind === 'seen' ? mayPlayBack : mayData));
  const kind = kindOf(kinds, address.value.path[0], mayPlayBack);
  return (
    <div class="events-view">
      <h2>{events.title}</h2>
      {!me.value ? (
        <p class="empty" role="status">
          {shell.loading}
        </p>
      ) : kinds.length === 0 ? (
        <p class="empty">{events.notAllowed}</p>
      ) : (
        kind && <Look kinds={kinds} kind={kind} filters={readFilters(address.value.query)} />
      )}
    </div>
  );
}

/** What the address names; else what was seen, where anything is recorded. Undefined until that is known. */
function kindOf(kinds: readonly Kind[], named: string | undefined, mayPlayBack: boolean): Kind | undefined {
  const known = kinds.find((kind) => kind === named);
  if (known) return known;
  const { value, trouble } = recordingList.known.value;
  if (mayPlayBack && !value && !trouble) return undefined;
  return mayPlayBack && (value?.recordings.length ?? 0) > 0 ? 'seen' : (kinds.find((kind) => kind === 'zones') ?? kinds[0]);
}

function Look({ kinds, kind, filters }: { readonly kinds: readonly Kind[]; readonly kind: Kind; readonly filters: Filters }) {
  const { events } = words.value;
  const show = (next: Kind, change: Partial<Record<Field, string>>): void => rewrite(hashOf('events', [next], { ...filters, ...change }));
  const { feed, keeping } = useFeed(kind, filters);
  const count = feed.items.value.length;
  const isAll = feed.next.value === null;
  const trouble = feed.trouble.value;
  const isGrid = filters.layout !== 'list';
  return (
    <>
      <div class="event-heads">
        <Segmented
          name={events.kind}
          values={kinds.map((each) => [each, events.kinds[each]])}
          value={kind}
          onChange={(next) => show(kinds.find((each) => each === next) ?? kind, { type: '', zone: '', line: '', direction: '' })}
        />
        {kind !== 'system' && (
          <Segmented
            name={events.layout}
            values={['grid', 'list'].map((each) => [each, events.layouts[each] ?? each])}
            value={isGrid ? 'grid' : 'list'}
            onChange={(layout) => show(kind, { layout: layout === 'list' ? layout : '' })}
          />
        )}
      </div>
      <FilterBar kind={kind} filters={filters} onChange={(change) => show(kind, change)} />
      <p class="event-status" role="status">
        {feed.next.value === undefined ? (trouble ? '' : words.value.shell.loading) : events.shown(count, isAll)}
        {keeping && <span data-live={keeping.isOpen.value}>{keeping.isOpen.value ? events.live : events.away}</span>}
      </p>
      {trouble && (
        <div class="empty" role="alert">
          <p>{faultText(trouble)}</p>
          <button type="button" class="button" onClick={() => void feed.more()}>
            {events.again}
          </button>
        </div>
      )}
      {isAll && count === 0 && <Nothing kind={kind} filters={filters} canLook={kinds.includes('seen')} />}
      <EventList feed={feed} look={kind === 'system' ? 'plain' : isGrid ? 'grid' : 'rows'} />
    </>
  );
}

function Nothing({ kind, filters, canLook }: { readonly kind: Kind; readonly filters: Filters; readonly canLook: boolean }) {
  const { events } = words.value;
  const texts = { seen: events.nothingSeen, zones: events.nothingHappened, system: events.nothingChanged };
  return (
    <div class="empty">
      <p>{isFiltered(filters) ? events.nothingFits : texts[kind]}</p>
      {kind === 'zones' && canLook && <a href={hashOf('events', ['seen'], { ...filters, type: '' })}>{events.lookInRecordings}</a>}
    </div>
  );
}

/** A list of what is looked for; another one where anything but the layout changes. */
function useFeed(kind: Kind, filters: Filters): { readonly feed: Feed<Item>; readonly keeping: KeepingUp | undefined } {
  const timeZone = zone.value;
  const wanted = JSON.stringify([kind, { ...filters, layout: '' }, timeZone, language.value]);
  const feed = useMemo(() => {
    const stretch = stretchOf(filters, timeZone, serverNowS());
    const pages =
      kind === 'seen'
        ? seenPages({ ...seenQuery(filters, timeZone), ...stretch })
        : eventPages({ ...eventQuery(kind, filters), ...stretch });
    return new Feed<Item>(pages);
  }, [wanted]);
  useEffect(() => () => feed.close(), [feed]);
  const [keeping, setKeeping] = useState<KeepingUp>();
  const isRead = feed.next.value !== undefined;
  useEffect(() => {
    if (!isRead || !isOfNow(filters, timeZone, serverNowS())) return undefined;
    const made = kind === 'seen' ? keepUpByLooking(feed) : keepUpByStream(feed, eventQuery(kind, filters));
    setKeeping(made);
    return () => {
      made.close();
      setKeeping(undefined);
    };
  }, [feed, isRead]);
  return { feed, keeping };
}

function Segmented(props: {
  readonly name: string;
  readonly values: readonly (readonly [string, string])[];
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  return (
    <fieldset class="segmented">
      <legend class="visually-hidden">{props.name}</legend>
      {props.values.map(([value, text]) => (
        <label key={value}>
          <input type="radio" name={props.name} value={value} checked={value === props.value} onChange={() => props.onChange(value)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}
