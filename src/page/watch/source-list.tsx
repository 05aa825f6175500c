/** Every source, to choose from. */
import { useCallback, useEffect, useMemo } from 'preact/hooks';
import { SignIn } from '../account/sign-in.js';
import { may } from '../api/me.js';
import { recordingList } from '../api/recordings.js';
import { sourceList, sources } from '../api/sources.js';
import { language, words } from '../strings/index.js';
import { arrange, type Group } from './arrange.js';
import { arrangement } from './arrangement.js';
import { ListTools } from './list-tools.js';
import type { WatchModel } from './model.js';
import { SourceCard } from './source-card.js';

/** Fewer are seen at a glance. */
const TOOLS_FROM = 3;

/** The list, or why there is none. */
export function SourceList({ model }: { readonly model: WatchModel }) {
  const texts = words.value.watch;
  const current = model.wanted.value?.source;
  const { value, trouble } = sourceList.known.value;
  const isRefused = trouble?.status === 401 || trouble?.status === 403;
  const all = sources.value;
  const wanted = arrangement.value;
  const groups = useMemo(() => arrange(all, wanted), [all, wanted, language.value]);
  const found = groups.reduce((count, group) => count + group.sources.length, 0);
  const mayPlayBack = may('playback');
  useEffect(() => (mayPlayBack ? recordingList.hold() : undefined), [mayPlayBack]);
  return (
    <section aria-labelledby="sources-title">
      <h2 id="sources-title">{texts.sources}</h2>
      {all.length >= TOOLS_FROM && <ListTools found={found} />}
      {groups.map((group) => (
        <Cards key={group.title} group={group} model={model} current={current} />
      ))}
      {all.length > 0 && found === 0 && <p class="empty">{texts.list.nothingFound}</p>}
      {/* Whoever asked for a source is asked over the video. */}
      {isRefused && current === undefined && <SignIn {...(trouble.status === 403 && { why: words.value.account.mayNothing })} />}
      {value?.videos.length === 0 && !trouble && (
        <div class="empty" id="empty">
          <h3>{texts.empty}</h3>
          <p>{texts.emptyText}</p>
          <p>
            <a href="publish">{words.value.shell.publish}</a>
          </p>
        </div>
      )}
    </section>
  );
}

interface CardsProps {
  readonly group: Group;
  readonly model: WatchModel;
  readonly current: string | undefined;
}

function Cards({ group: { title, sources: members }, model, current }: CardsProps) {
  const choose = useCallback((source: string) => model.choice.choose(source), [model]);
  const recorded = new Set(recordingList.known.value.value?.recordings.map(({ source }) => source));
  return (
    <>
      {title !== '' && (
        <h3 class="group-title" dir="auto">
          {title} <span class="group-count">{members.length}</span>
        </h3>
      )}
      <ul class="gallery">
        {members.map((video) => (
          <SourceCard
            key={video.source}
            video={video}
            isRecorded={recorded.has(video.source)}
            isCurrent={video.source === current}
            onChoose={choose}
          />
        ))}
      </ul>
    </>
  );
}
