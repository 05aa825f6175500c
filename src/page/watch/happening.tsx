/** Beside the picture: what is in its zones, what has crossed its lines, and what has just happened. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { countsOf } from '../api/counts.js';
import { followEvents } from '../api/event-stream.js';
import { readEvents, SCENE_TYPES, type ServerEvent } from '../api/events.js';
import { may } from '../api/me.js';
import { watchHash } from '../app/router.js';
import { eventText } from '../events/event-text.js';
import { words } from '../strings/index.js';
import { clockText } from '../timeline/chosen-zone.js';

const NEWEST = 8;

/** @param source that is watched. Nothing where there are neither zones nor lines, or for somebody who may not know. */
export function Happening({ source }: { readonly source: string }) {
  return may('data') ? <Counted key={source} source={source} /> : null;
}

function Counted({ source }: { readonly source: string }) {
  const polled = useMemo(() => countsOf(source), [source]);
  useEffect(() => polled.hold(), [polled]);
  const counts = polled.known.value.value;
  if (!counts || counts.zones.length + counts.lines.length === 0) return null;
  const texts = words.value.watch.happening;
  return (
    <section class="happening" aria-labelledby="happening-title">
      <h3 id="happening-title">{texts.name}</h3>
      <dl class="counts">
        {counts.zones.map(({ zone, count }) => (
          <div key={`zone ${zone}`}>
            <dt dir="auto">{zone}</dt>
            <dd>{texts.inside(count)}</dd>
          </div>
        ))}
        {counts.lines.map(({ line, in: came, out: went }) => (
          <div key={`line ${line}`}>
            <dt dir="auto">{line}</dt>
            <dd>{texts.crossed(came, went)}</dd>
          </div>
        ))}
      </dl>
      <Newest source={source} />
    </section>
  );
}

function Newest({ source }: { readonly source: string }) {
  const events = useNewest(source);
  const texts = words.value.watch.happening;
  if (events.length === 0) return <p class="quiet">{texts.nothing}</p>;
  return (
    <ol class="newest" aria-label={texts.newest}>
      {events.map((event) => (
        <li key={event.id}>
          <a href={watchHash(source, '', event.at)}>
            <time dateTime={new Date(event.at * 1000).toISOString()}>{clockText(event.at)}</time> <span dir="auto">{eventText(event)}</span>
          </a>
        </li>
      ))}
    </ol>
  );
}

/** The newest events of a source, the newest first. */
function useNewest(source: string): readonly ServerEvent[] {
  const [events, setEvents] = useState<readonly ServerEvent[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    const take = (more: readonly ServerEvent[]): void => setEvents((known) => newestOf([...more, ...known]));
    readEvents({ source, type: SCENE_TYPES, order: 'desc', limit: NEWEST }, stop.signal).then(
      (page) => take(page.events),
      () => undefined, // what happens from now on comes anyway
    );
    const leave = followEvents(SCENE_TYPES.split(','), (event) => event.source === source && take([event]));
    return () => {
      stop.abort();
      leave();
    };
  }, [source]);
  return events;
}

function newestOf(events: readonly ServerEvent[]): readonly ServerEvent[] {
  const byId = new Map(events.map((event) => [event.id, event]));
  return [...byId.values()].sort((a, b) => b.at - a.at).slice(0, NEWEST);
}
