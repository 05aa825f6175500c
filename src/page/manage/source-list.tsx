/** Every source: where it comes from, whether it runs, and why not. */
import { managedSources, type ManagedSource } from '../api/managed-sources.js';
import { nameOf } from '../api/sources.js';
import { hashOf } from '../app/router.js';
import { words } from '../strings/index.js';
import { Fault } from '../ui/fault.js';

/** Links to the pages of the sources. */
export function SourceList() {
  const text = words.value.manage;
  const { value, trouble } = managedSources.known.value;
  return (
    <>
      <Fault error={trouble} />
      {!value && !trouble && <p role="status">{words.value.shell.loading}</p>}
      {value?.sources.length === 0 && (
        <div class="empty">
          <p>{text.noSources}</p>
          <a class="button" href={hashOf('manage', ['add'])}>
            {text.page.add}
          </a>
        </div>
      )}
      <ul class="manage-list">
        {value?.sources.map((source) => (
          <Row key={source.name} source={source} />
        ))}
      </ul>
    </>
  );
}

function Row({ source }: { readonly source: ManagedSource }) {
  const text = words.value.manage;
  const title = titleOf(source);
  return (
    <li>
      <a href={hashOf('manage', ['source', source.name])}>
        <span class={`manage-state ${source.playable ? source.state : 'broken'}`}>{stateOf(source)}</span>
        <span class="manage-name" dir="auto" title={title}>
          {title}
        </span>
        <span class="manage-facts">
          {[text.kind[source.kind], source.group, source.recording === 'off' ? '' : text.recordingState[source.recording]]
            .filter(Boolean)
            .join(' · ')}
        </span>
        {source.reason !== undefined && <span class="manage-reason">{source.reason}</span>}
      </a>
    </li>
  );
}

/** What people call it. */
export function titleOf({ name, title }: ManagedSource): string {
  return title ?? nameOf(name);
}

/** In a word or two. */
export function stateOf({ kind, state, playable }: ManagedSource): string {
  const text = words.value.manage.state;
  if (!playable) return text.broken;
  return kind === 'file' ? text.ready : text[state];
}
