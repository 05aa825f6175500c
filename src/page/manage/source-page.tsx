/** One source: what it is called, where it comes from, what looks at it, and where it goes. */
import { managedSources, removeSource } from '../api/managed-sources.js';
import { nameOf } from '../api/sources.js';
import { go, hashOf, watchHash } from '../app/router.js';
import { words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import { Confirm } from '../ui/confirm.js';
import { Fault } from '../ui/fault.js';
import { Description } from './description.js';
import { Forwards } from './forwards.js';
import { ModelChoice } from './model-choice.js';
import { Recording } from './recording.js';
import { stateOf, titleOf } from './source-list.js';

/** At `#manage/source/<source>`. */
export function SourcePage({ source: name }: { readonly source: string }) {
  const text = words.value.manage;
  const { value, trouble } = managedSources.known.value;
  const source = value?.sources.find((each) => each.name === name);
  if (!source) return value ? <p class="empty">{text.noSuchSource(name)}</p> : <Fault error={trouble} />;
  const title = titleOf(source);
  const canRemove = source.kind !== 'live';
  return (
    <>
      <header class="manage-head">
        <h3 dir="auto" title={title}>
          {title}
        </h3>
        <span class={`manage-state ${source.playable ? source.state : 'broken'}`}>{stateOf(source)}</span>
        <a href={watchHash(name)}>{words.value.shell.views.watch}</a>
        <a href={hashOf('zones', [name])}>{words.value.shell.views.zones}</a>
      </header>
      <Fault error={trouble} />
      {source.reason !== undefined && <p class="manage-reason">{source.reason}</p>}
      <div class="manage-cards">
        <Description source={source} />
        <ModelChoice source={name} />
        <Recording source={name} />
        <Forwards source={name} />
        {canRemove && (
          <section class="card-box" aria-labelledby="manage-remove">
            <h3 id="manage-remove">{text.removeTitle}</h3>
            <p>{text.removeText[source.kind === 'file' ? 'file' : 'pull']}</p>
            <Confirm
              title={text.removeQuestion(title)}
              text={text.removeText[source.kind === 'file' ? 'file' : 'pull']}
              yes={text.remove}
              onYes={async () => {
                await removeSource(source, nameOf(name));
                announce(text.removed(title));
                go(hashOf('manage'));
              }}
            >
              {text.remove}
            </Confirm>
          </section>
        )}
      </div>
    </>
  );
}
