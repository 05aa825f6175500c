/** Whether and how a source is recorded. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { pathOf } from '../api/address.js';
import { Polled } from '../api/polled.js';
import { request } from '../api/request.js';
import { words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import { useAction } from '../ui/action.js';
import { Fault } from '../ui/fault.js';

interface Status {
  readonly mode: 'continuous' | 'events' | 'off';
  readonly pre_s: number;
  readonly post_s: number;
  readonly detections: string | null;
  readonly origin: 'config' | 'api';
  readonly state: 'recording' | 'waiting' | 'stopped' | 'off';
  readonly reason?: string;
}

const PERIOD_MS = 3_000;
const MODES = ['off', 'continuous', 'events'] as const;

/** Changes count at once. */
export function Recording({ source }: { readonly source: string }) {
  const text = words.value.manage;
  const path = `${pathOf('sources', source)}/recording`;
  const status = useMemo(() => new Polled<Status>(path, PERIOD_MS), [path]);
  const { isBusy, error, run } = useAction();
  const [wanted, setWanted] = useState<Status['mode'] | undefined>(undefined);
  useEffect(() => status.hold(), [status]);
  const { value, trouble } = status.known.value;
  const put = (change: Partial<Pick<Status, 'mode' | 'pre_s' | 'post_s'>>): void => {
    if (!value) return;
    setWanted(change.mode);
    const { mode, pre_s, post_s, detections } = { ...value, ...change };
    void run(async () => {
      await request(path, { method: 'PUT', body: { mode, pre_s, post_s, ...(detections !== null && { detections }) } });
      await status.refresh();
    }).then((isDone) => {
      setWanted(undefined);
      if (isDone) announce(text.saved);
    });
  };
  const seconds = (member: 'pre_s' | 'post_s', min: number, max: number) => (
    <label>
      {text[member]}
      <input
        type="number"
        min={min}
        max={max}
        value={value?.[member]}
        onChange={({ currentTarget }) => currentTarget.reportValidity() && put({ [member]: currentTarget.valueAsNumber })}
      />
    </label>
  );
  return (
    <section class="card-box" aria-labelledby="manage-recording">
      <h3 id="manage-recording">{text.recording}</h3>
      {value && (
        <div class="form">
          <fieldset disabled={isBusy}>
            <legend>{text.recordingMode}</legend>
            {MODES.map((mode) => (
              <label class="check" key={mode}>
                <input type="radio" name="recording-mode" checked={(wanted ?? value.mode) === mode} onChange={() => put({ mode })} />
                {text.mode[mode]}
              </label>
            ))}
          </fieldset>
          {value.mode === 'events' && (
            <div class="pair">
              {seconds('pre_s', 0, 60)}
              {seconds('post_s', 1, 3600)}
            </div>
          )}
          <p class="soft" role="status">
            {text.recordingState[value.state]}
            {value.reason === undefined ? '' : `: ${value.reason}`}
          </p>
        </div>
      )}
      <Fault error={error ?? trouble} />
    </section>
  );
}
