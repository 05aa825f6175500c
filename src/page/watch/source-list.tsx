/** Every source, to choose from. */
import { useCallback } from 'preact/hooks';
import { SignIn } from '../account/sign-in.js';
import { sourceList, sources } from '../api/sources.js';
import { words } from '../strings/index.js';
import type { WatchModel } from './model.js';
import { SourceCard } from './source-card.js';

/** The list, or why there is none. */
export function SourceList({ model }: { readonly model: WatchModel }) {
  const texts = words.value.watch;
  const current = model.wanted.value?.source;
  const choose = useCallback((source: string) => model.choice.choose(source), [model]);
  const { value, trouble } = sourceList.known.value;
  const isRefused = trouble?.status === 401 || trouble?.status === 403;
  return (
    <section aria-labelledby="sources-title">
      <h2 id="sources-title">{texts.sources}</h2>
      <ul class="gallery" id="gallery">
        {sources.value.map((video) => (
          <SourceCard key={video.source} video={video} isCurrent={video.source === current} onChoose={choose} />
        ))}
      </ul>
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
