/** Other servers that a source is sent to, by WHIP. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { pathOf } from '../api/address.js';
import { Polled } from '../api/polled.js';
import { request } from '../api/request.js';
import { words } from '../strings/index.js';
import { useAction } from '../ui/action.js';
import { Confirm } from '../ui/confirm.js';
import { Fault } from '../ui/fault.js';

interface Forward {
  readonly id: string;
  readonly url: string;
  readonly origin: 'config' | 'api';
  readonly state: 'connecting' | 'live' | 'waiting' | 'failed';
  readonly last_error: string | null;
  readonly bitrate_kbps: number | null;
}

const PERIOD_MS = 2_000;

/** Those that there are, and one more. */
export function Forwards({ source }: { readonly source: string }) {
  const text = words.value.manage;
  const path = `${pathOf('sources', source)}/forward`;
  const forwards = useMemo(() => new Polled<{ readonly forwards: readonly Forward[] }>(path, PERIOD_MS), [path]);
  const { isBusy, error, run } = useAction();
  const [url, setUrl] = useState('');
  const [token, setToken] = useState('');
  useEffect(() => forwards.hold(), [forwards]);
  const { value, trouble } = forwards.known.value;
  const add = (event: Event): void => {
    event.preventDefault();
    void run(async () => {
      await request(path, { body: { url, ...(token !== '' && { token }) } });
      await forwards.refresh();
      setUrl('');
      setToken('');
    });
  };
  return (
    <section class="card-box" aria-labelledby="manage-forwards">
      <h3 id="manage-forwards">{text.forwards}</h3>
      <ul class="manage-forwards">
        {value?.forwards.map((forward) => (
          <li key={forward.id}>
            <span title={forward.url}>{forward.url}</span>
            <span class="soft">
              {text.forwardState[forward.state]}
              {forward.bitrate_kbps === null ? '' : ` · ${forward.bitrate_kbps} kbit/s`}
            </span>
            {forward.last_error !== null && forward.state !== 'live' && <span class="manage-reason">{forward.last_error}</span>}
            {forward.origin === 'api' && (
              <Confirm
                title={text.endForward}
                text={text.endForwardText(forward.url)}
                yes={text.endForward}
                onYes={async () => {
                  await request(path + pathOf(forward.id), { method: 'DELETE' });
                  await forwards.refresh();
                }}
              >
                {text.endForward}
              </Confirm>
            )}
          </li>
        ))}
      </ul>
      <form class="form" onSubmit={add}>
        <label>
          {text.forwardUrl}
          <input
            type="url"
            required
            maxLength={2048}
            value={url}
            placeholder="https://media.example.com/whip/gate"
            onInput={(event) => setUrl(event.currentTarget.value)}
          />
        </label>
        <label>
          {text.forwardToken}
          <input
            type="password"
            autocomplete="off"
            maxLength={4096}
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <Fault error={error ?? trouble} />
        <button type="submit" class="button" disabled={isBusy}>
          {text.addForward}
        </button>
      </form>
    </section>
  );
}
