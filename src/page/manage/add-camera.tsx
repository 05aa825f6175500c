/** Another camera: found on the network, or by its address. */
import { useState } from 'preact/hooks';
import { addSource, managedSources, streamsOf, type FoundCamera, type SourceDescription } from '../api/managed-sources.js';
import { go, hashOf } from '../app/router.js';
import { words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import { useAction } from '../ui/action.js';
import { Fault } from '../ui/fault.js';
import { nameFor, withLogin } from './camera-address.js';
import { CameraTest } from './camera-test.js';
import { Discovery } from './discovery.js';

/** A form; what was found fills it in. */
export function AddCamera() {
  const text = words.value.manage;
  const [url, setUrl] = useState('');
  const [lowUrl, setLowUrl] = useState('');
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const [title, setTitle] = useState('');
  const [found, setFound] = useState<FoundCamera | undefined>(undefined);
  const { isBusy, error, run } = useAction();
  const asking = useAction();
  const description: SourceDescription = {
    url: withLogin(url, user, password),
    ...(lowUrl !== '' && { low_url: withLogin(lowUrl, user, password) }),
  };
  const take = (camera: FoundCamera): void => {
    setFound(camera);
    setTitle(camera.name);
    setUrl('');
    setLowUrl('');
  };
  const askForStreams = (camera: FoundCamera): void =>
    void asking.run(async (signal) => {
      const streams = await streamsOf({ address: camera.address, user, password }, signal);
      setUrl(streams.url ?? '');
      setLowUrl(streams.low_url ?? '');
    });
  const add = (event: Event): void => {
    event.preventDefault();
    const taken = (managedSources.known.value.value?.sources ?? []).map((source) => source.name);
    const name = nameFor(title === '' ? hostOf(url) : title, taken);
    void run(() => addSource({ ...description, name, ...(title !== '' && { title }) })).then((isAdded) => {
      if (!isAdded) return;
      announce(text.cameraAdded);
      go(hashOf('manage', ['source', name]));
    });
  };
  const field = (label: string, value: string, set: (value: string) => void, more: Readonly<Record<string, unknown>> = {}) => (
    <label>
      {label}
      <input
        type="text"
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        value={value}
        onInput={(event) => set(event.currentTarget.value)}
        {...more}
      />
    </label>
  );
  return (
    <section class="card-box" aria-labelledby="manage-camera">
      <h3 id="manage-camera">{text.addCamera}</h3>
      <Discovery onChoose={take} chosen={found?.address} />
      <form class="form" onSubmit={add}>
        {field(text.user, user, setUser)}
        {field(text.password, password, setPassword, { type: 'password', autocomplete: 'new-password' })}
        {found && (
          <div class="camera-test">
            <button type="button" class="button" disabled={asking.isBusy} onClick={() => askForStreams(found)}>
              {asking.isBusy ? text.asking : text.askForStreams(found.name)}
            </button>
            <small>{text.testHelp}</small>
            <Fault error={asking.error} />
          </div>
        )}
        {field(text.url, url, (value) => setUrl(value.trim()), {
          required: true,
          inputMode: 'url',
          placeholder: 'rtsp://10.0.0.5/stream1',
          pattern: '[A-Za-z][A-Za-z0-9+.\\-]*://.+',
          title: text.urlHelp,
        })}
        {field(text.lowUrl, lowUrl, (value) => setLowUrl(value.trim()), { inputMode: 'url' })}
        {field(text.title, title, setTitle, { dir: 'auto', maxLength: 100, spellcheck: true })}
        <CameraTest description={description} isDisabled={url === ''} />
        <Fault error={error} />
        <button type="submit" class="button main" disabled={isBusy}>
          {text.add}
        </button>
      </form>
    </section>
  );
}

function hostOf(url: string): string {
  const asHttp = url.replace(/^[a-z0-9+.-]+:/i, 'http:');
  return URL.canParse(asHttp) ? new URL(asHttp).hostname : '';
}
