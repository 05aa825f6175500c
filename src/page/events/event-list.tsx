/** What was found, as far as somebody looks. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { recordingList } from '../api/recordings.js';
import { nameOf } from '../api/sources.js';
import { watchHash } from '../app/router.js';
import { words } from '../strings/index.js';
import { momentText, timeText } from '../timeline/chosen-zone.js';
import { Icon } from '../ui/icon.js';
import type { Feed } from './feed.js';
import { placeOf, type Item } from './items.js';

/** So far below what is seen, the next page is asked for. */
const AHEAD = '800px';

/** @param look pictures beside one another, lines with small ones, or lines without */
export function EventList({ feed, look }: { readonly feed: Feed<Item>; readonly look: 'grid' | 'rows' | 'plain' }) {
  const { events } = words.value;
  const hasMore = typeof feed.next.value === 'string';
  return (
    <>
      <ul class={look === 'grid' ? 'event-grid' : `event-rows event-${look}`}>
        {feed.items.value.map((item) => (
          <li key={item.key}>
            <Entry item={item} />
          </li>
        ))}
      </ul>
      {hasMore && <More feed={feed} text={events.loadMore} />}
    </>
  );
}

function Entry({ item }: { readonly item: Item }) {
  const { events } = words.value;
  const place = placeOf(item, recordingList.known.value.value?.recordings ?? []);
  const about = <About item={item} />;
  return (
    <>
      {place ? (
        <a class="event-card" href={watchHash(place.source, '', place.at)}>
          {about}
          <span class="event-go">{place.at === undefined ? events.watchNow : events.watchThen}</span>
        </a>
      ) : (
        <div class="event-card">{about}</div>
      )}
      {item.clip !== undefined && (
        <a
          class="plain event-clip"
          href={item.clip}
          download
          aria-label={`${events.clip}: ${item.title}, ${momentText(item.atS)}`}
          title={events.clip}
        >
          <Icon name="download" />
        </a>
      )}
    </>
  );
}

function About({ item }: { readonly item: Item }) {
  const { title, source, atS, detail } = item;
  return (
    <>
      <Picture address={item.picture} />
      <strong class="event-title" dir="auto" title={title}>
        {title}
      </strong>
      {source !== undefined && (
        <span class="event-source" dir="auto" title={nameOf(source)}>
          {nameOf(source)}
        </span>
      )}
      <time dateTime={new Date(atS * 1000).toISOString()} title={timeText(atS, { dateStyle: 'full', timeStyle: 'long' })}>
        {momentText(atS)}
      </time>
      {detail !== '' && (
        <span class="event-detail" dir="auto" title={detail}>
          {detail}
        </span>
      )}
    </>
  );
}

/** A picture that does not come leaves its place. */
function Picture({ address }: { readonly address: string | undefined }) {
  const [isGone, setGone] = useState(false);
  useEffect(() => setGone(false), [address]);
  return (
    <span class="event-picture">
      {address === undefined || isGone ? (
        <span>{words.value.events.noPicture}</span>
      ) : (
        <img src={address} alt="" loading="lazy" decoding="async" onError={() => setGone(true)} />
      )}
    </span>
  );
}

/** A button that is pressed by itself where it comes near. */
function More({ feed, text }: { readonly feed: Feed<Item>; readonly text: string }) {
  const button = useRef<HTMLButtonElement>(null);
  const count = feed.items.value.length;
  const hasFailed = feed.trouble.value !== undefined;
  useEffect(() => {
    const element = button.current;
    if (!element || hasFailed) return undefined;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && void feed.more(), { rootMargin: AHEAD });
    observer.observe(element);
    return () => observer.disconnect();
  }, [feed, count, hasFailed]);
  return (
    <button ref={button} type="button" class="button event-load" aria-busy={feed.isLoading.value} onClick={() => void feed.more()}>
      {text}
    </button>
  );
}
