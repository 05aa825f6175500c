/** What has become of sources and clients, the newest first. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { readEvents, type ServerEvent } from '../api/events.js';
import { followEvents } from '../api/event-stream.js';
import { nameOf } from '../api/sources.js';
import { eventText } from '../events/event-text.js';
import { faultText } from '../strings/faults.js';
import { language, words } from '../strings/index.js';

const TYPES = [
  ...['source_started', 'source_stopped', 'publisher_joined', 'publisher_left', 'viewer_joined', 'viewer_left', 'detector_failed'],
  ...['recording_stopped', 'recording_resumed', 'recording_rebuilt', 'login', 'refused', 'changed'],
];
/** Of which somebody may not be told. */
const FOR_ADMINS = ['login', 'refused', 'changed'];
const SHOWN = 100;

const log = signal<{ readonly events: readonly ServerEvent[]; readonly fault?: string } | undefined>(undefined);

/** A list that grows at its top. @param isAdmin they are told of logins and changes, too */
export function LogPanel({ isAdmin }: { readonly isAdmin: boolean }) {
  const text = words.value.status;
  useEffect(() => {
    const types = TYPES.filter((type) => isAdmin || !FOR_ADMINS.includes(type));
    const controller = new AbortController();
    const add = (events: readonly ServerEvent[]): void => {
      const all = new Map([...events, ...(log.value?.events ?? [])].map((event) => [event.id, event]));
      log.value = { events: [...all.values()].sort((a, b) => b.at - a.at).slice(0, SHOWN) };
    };
    readEvents({ type: types.join(','), order: 'desc', limit: SHOWN }, controller.signal).then(
      ({ events }) => add(events),
      (error: unknown) => controller.signal.aborted || (log.value = { events: log.value?.events ?? [], fault: faultText(error) }),
    );
    const stop = followEvents(types, (event) => add([event]));
    return () => {
      controller.abort();
      stop();
    };
  }, [isAdmin]);
  const known = log.value;
  const time = new Intl.DateTimeFormat(language.value, { dateStyle: 'short', timeStyle: 'medium' });
  return (
    <section class="status-card wide" aria-labelledby="status-log">
      <h3 id="status-log">{text.log}</h3>
      {known?.fault !== undefined && <p class="status-fault">{known.fault}</p>}
      {known?.events.length === 0 && <p>{text.noLog}</p>}
      <ol class="status-log" tabIndex={0} aria-labelledby="status-log">
        {known?.events.map((event) => (
          <li key={event.id}>
            <time dateTime={new Date(event.at * 1000).toISOString()}>{time.format(event.at * 1000)}</time>
            <span>
              <strong>{eventText(event)}</strong> {event.source !== null && <bdi>{nameOf(event.source)}</bdi>}
              {(event.reason ?? event.who) !== undefined && <small>{event.reason ?? event.who}</small>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
