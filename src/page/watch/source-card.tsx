/** The card of a source: its snapshot, its name, what it is, and why it is dark. */
import { useMemo } from 'preact/hooks';
import type { ListedSource } from '../api/sources.js';
import { language, words } from '../strings/index.js';
import { badge, facts, hasSnapshot, isLive, notes, snapshotPath } from './card.js';
import { Still } from './still.js';

/** What a card is of. */
export interface SourceCardProps {
  /** As it is listed. */
  readonly video: ListedSource;
  /** Whether something of it was recorded. */
  readonly isRecorded: boolean;
  /** Whether it is on the stage. */
  readonly isCurrent: boolean;
  /** It was chosen. */
  readonly onChoose: (source: string) => void;
}

/** Made anew only where something of it has changed: there may be hundreds, and lists come every few seconds. */
export function SourceCard({ video, isRecorded, isCurrent, onChoose }: SourceCardProps) {
  const signature = useMemo(() => JSON.stringify(video), [video]);
  return useMemo(() => {
    const corner = badge(video);
    // A camera's figures change all the time, and its snapshot stays until it goes or comes back.
    const pictured = isLive(video) ? (video.state ?? '') : signature;
    return (
      <li>
        <button
          type="button"
          class="card"
          data-source={video.source}
          disabled={!video.playable}
          aria-current={isCurrent ? 'true' : undefined}
          onClick={() => onChoose(video.source)}
        >
          <Still path={hasSnapshot(video) ? snapshotPath(video) : undefined} current={pictured} />
          <span class="name" dir="auto" title={video.name}>
            {video.name}
          </span>
          <span class="facts">{facts(video)}</span>
          <span class="tags">
            {isRecorded && <span class="tag recorded">{words.value.watch.card.recorded}</span>}
            <span class={`tag ${corner.look}`}>{corner.text}</span>
          </span>
          {notes(video).map(({ look, text }) => (
            <span class={look} key={text}>
              {text}
            </span>
          ))}
        </button>
      </li>
    );
  }, [signature, isRecorded, isCurrent, onChoose, language.value]);
}
