/** What is looked for: each change is in the address at once. */
import { useEffect, useState } from 'preact/hooks';
import { getJson } from '../api/request.js';
import { recordingList } from '../api/recordings.js';
import { nameOf, sources } from '../api/sources.js';
import { words } from '../strings/index.js';
import { ZoneSelect } from '../timeline/zone-select.js';
import { Choice } from './choice.js';
import { DAYS, isFiltered, SYSTEM_TYPES, ZONE_TYPES, type Field, type FilterProps, type Filters } from './filters.js';
import { placesOf, zonesPath, type Places } from './items.js';
import { MoreFilters } from './more-filters.js';

const LABELS = ['person', 'car', 'truck', 'bus', 'motorcycle', 'bicycle', 'dog', 'cat'];

/** The fields that make sense of a kind. */
export function FilterBar(props: FilterProps) {
  const { kind, filters, onChange } = props;
  const { events } = words.value;
  const places = usePlaces(kind === 'system' ? '' : filters.source);
  const isEmpty = !isFiltered(filters);
  return (
    <form class="event-filters" aria-label={events.filters} onSubmit={(event) => event.preventDefault()}>
      <SourceChoice {...props} />
      {kind !== 'system' && (
        <label class="event-field">
          {events.label}
          <input
            list="event-labels"
            value={filters.label}
            placeholder={events.anyLabel}
            autocomplete="off"
            autocapitalize="none"
            onChange={({ currentTarget }) => onChange({ label: currentTarget.value.trim() })}
          />
          <datalist id="event-labels">
            {LABELS.map((label) => (
              <option key={label} value={label} />
            ))}
          </datalist>
        </label>
      )}
      <Choice
        name={events.day}
        value={filters.day}
        options={['', ...DAYS, 'range'].map((day) => [day, events.days[day] ?? day])}
        onChange={(day) => onChange({ day, ...(day !== 'range' && { from: '', to: '' }) })}
      />
      {filters.day === 'range' &&
        (['from', 'to'] as const).map((end) => (
          <label key={end} class="event-field">
            {events[end]}
            <input type="datetime-local" value={filters[end]} onChange={({ currentTarget }) => onChange({ [end]: currentTarget.value })} />
          </label>
        ))}
      {kind !== 'system' && <PlaceChoice {...props} places={places} />}
      {kind === 'seen' && filters.line !== '' && (
        <Choice
          name={events.direction}
          value={filters.direction}
          options={['', 'in', 'out'].map((each) => [each, each === '' ? events.anyDirection : (events.directions[each] ?? each)])}
          onChange={(direction) => onChange({ direction })}
        />
      )}
      {kind !== 'seen' && (
        <Choice
          name={events.type}
          value={filters.type}
          options={['', ...(kind === 'zones' ? ZONE_TYPES : SYSTEM_TYPES)].map((type) => [type, typeText(type)])}
          onChange={(type) => onChange({ type })}
        />
      )}
      {kind === 'seen' && <MoreFilters {...props} />}
      <ZoneSelect />
      {!isEmpty && (
        <button type="button" class="button" onClick={() => onChange(nothing(filters))}>
          {events.clear}
        </button>
      )}
    </form>
  );
}

function SourceChoice({ filters, onChange }: FilterProps) {
  const { events } = words.value;
  const recorded = (recordingList.known.value.value?.recordings ?? []).map(({ source }) => source);
  const all = new Set([...sources.value.map(({ source }) => source), ...recorded, ...(filters.source === '' ? [] : [filters.source])]);
  const options = [['', events.allSources] as const, ...[...all].map((source) => [source, nameOf(source)] as const)];
  return (
    <Choice
      name={events.source}
      value={filters.source}
      options={options}
      onChange={(source) => onChange({ source, zone: '', line: '', direction: '' })}
    />
  );
}

/** Zones are those of a source. */
function PlaceChoice({ filters: { source, zone, line }, onChange, places }: FilterProps & { readonly places: Places }) {
  const { events } = words.value;
  const value = zone !== '' ? `zone:${zone}` : line !== '' ? `line:${line}` : '';
  const zones = new Set([...places.zones, ...(zone === '' ? [] : [zone])]);
  const lines = new Set([...places.lines, ...(line === '' ? [] : [line])]);
  const options = [
    ['', source === '' && value === '' ? events.sourceFirst : events.anywhere] as const,
    ...[...zones].map((id) => [`zone:${id}`, events.zone(id)] as const),
    ...[...lines].map((id) => [`line:${id}`, events.line(id)] as const),
  ];
  return (
    <Choice
      name={events.place}
      value={value}
      options={options}
      isOff={source === '' && value === ''}
      onChange={(place) => {
        const id = place.slice('zone:'.length);
        onChange({ zone: place.startsWith('zone:') ? id : '', line: place.startsWith('line:') ? id : '', direction: '' });
      }}
    />
  );
}

function usePlaces(source: string): Places {
  const [places, setPlaces] = useState<Places>({ zones: [], lines: [] });
  useEffect(() => {
    setPlaces({ zones: [], lines: [] });
    if (source === '') return undefined;
    const asking = new AbortController();
    // Who may not read zones, or of a source that has none: there is nothing to choose.
    getJson<Parameters<typeof placesOf>[0]>(zonesPath(source), asking.signal).then(
      (answer) => setPlaces(placesOf(answer)),
      () => undefined,
    );
    return () => asking.abort();
  }, [source]);
  return places;
}

function typeText(type: string): string {
  const { events } = words.value;
  if (type === '') return events.anyType;
  const happened = Object.hasOwn(events.happened, type) ? events.happened[type as keyof typeof events.happened] : type;
  return events.types[type] ?? (typeof happened === 'string' ? happened : type);
}

function nothing(filters: Filters): Partial<Record<Field, string>> {
  return { ...(Object.fromEntries(Object.keys(filters).map((field) => [field, ''])) as Record<Field, string>), layout: filters.layout };
}
