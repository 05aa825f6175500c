/** What a source is called, and, of a camera, its address: which is never told, so a new one is written whole. */
import { useState } from 'preact/hooks';
import { changeSource, type ManagedSource, type SourceDescription } from '../api/managed-sources.js';
import { nameOf } from '../api/sources.js';
import { words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import { useAction } from '../ui/action.js';
import { Fault } from '../ui/fault.js';
import { CameraTest } from './camera-test.js';

/** A form. */
export function Description({ source }: { readonly source: ManagedSource }) {
  const text = words.value.manage;
  const { isBusy, error, run } = useAction();
  const [title, setTitle] = useState(source.title ?? '');
  const [group, setGroup] = useState(source.group ?? '');
  const [url, setUrl] = useState('');
  const [lowUrl, setLowUrl] = useState('');
  const [isAlwaysOn, setIsAlwaysOn] = useState(source.always_on ?? false);
  const isCamera = source.kind === 'pull';
  const patch: SourceDescription = {
    ...(title !== (source.title ?? '') && { title: title === '' ? null : title }),
    ...(group !== (source.group ?? '') && { group: group === '' ? null : group }),
    ...(url !== '' && { url }),
    ...(lowUrl !== '' && { low_url: lowUrl }),
    ...(isCamera && isAlwaysOn !== (source.always_on ?? false) && { always_on: isAlwaysOn }),
  };
  const save = (event: Event): void => {
    event.preventDefault();
    void run(() => changeSource(source.name, patch)).then((isSaved) => {
      if (!isSaved) return;
      setUrl('');
      setLowUrl('');
      announce(text.saved);
    });
  };
  return (
    <section class="card-box" aria-labelledby="manage-description">
      <h3 id="manage-description">{text.description}</h3>
      <form class="form" onSubmit={save}>
        <label>
          {text.title}
          <input
            type="text"
            dir="auto"
            maxLength={100}
            value={title}
            placeholder={nameOf(source.name)}
            onInput={(event) => setTitle(event.currentTarget.value)}
          />
        </label>
        <label>
          {text.group}
          <input type="text" dir="auto" maxLength={100} value={group} onInput={(event) => setGroup(event.currentTarget.value)} />
        </label>
        {isCamera && (
          <>
            <label>
              {text.newUrl}
              <input
                type="text"
                inputMode="url"
                autocomplete="off"
                autocapitalize="none"
                spellcheck={false}
                value={url}
                placeholder={`${source.scheme ?? 'rtsp'}://…`}
                onInput={(event) => setUrl(event.currentTarget.value.trim())}
              />
              <small>{text.newUrlHelp}</small>
            </label>
            <label>
              {text.lowUrl}
              <input
                type="text"
                inputMode="url"
                autocomplete="off"
                autocapitalize="none"
                spellcheck={false}
                value={lowUrl}
                placeholder={source.low_scheme === undefined ? '' : `${source.low_scheme}://…`}
                onInput={(event) => setLowUrl(event.currentTarget.value.trim())}
              />
            </label>
            <label class="check">
              <input type="checkbox" checked={isAlwaysOn} onChange={(event) => setIsAlwaysOn(event.currentTarget.checked)} />
              {text.alwaysOn}
            </label>
            <CameraTest description={{ name: source.name, ...(url !== '' && { url }), ...(lowUrl !== '' && { low_url: lowUrl }) }} />
          </>
        )}
        <Fault error={error} />
        <button type="submit" class="button main" disabled={isBusy || Object.keys(patch).length === 0}>
          {text.save}
        </button>
      </form>
    </section>
  );
}
