/** Which model looks at a source, and what each costs here. */
import { useEffect, useMemo } from 'preact/hooks';
import { pathOf } from '../api/address.js';
import { Polled } from '../api/polled.js';
import { request } from '../api/request.js';
import { words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import { useAction } from '../ui/action.js';
import { Fault } from '../ui/fault.js';

interface Models {
  readonly available: readonly string[];
  readonly in_use: readonly { readonly name: string; readonly state: string; readonly inference_ms: number | null }[];
}

const PERIOD_MS = 3_000;

/** A choice that counts at once. */
export function ModelChoice({ source }: { readonly source: string }) {
  const text = words.value.manage;
  const path = `${pathOf('sources', source)}/model`;
  const models = useMemo(() => new Polled<Models>('/models', PERIOD_MS), []);
  const chosen = useMemo(() => new Polled<{ readonly model: string; readonly labels: readonly string[] }>(path, PERIOD_MS), [path]);
  const { isBusy, error, run } = useAction();
  useEffect(() => {
    const ends = [models.hold(), chosen.hold()];
    return () => ends.forEach((end) => end());
  }, [models, chosen]);
  const { value, trouble } = models.known.value;
  const now = chosen.known.value.value;
  const names = [...new Set([...(value?.available ?? []), ...(now ? [now.model] : []), 'none'])];
  const nameOf = (name: string): string => {
    if (name === 'none') return text.noModel;
    const ms = value?.in_use.find((model) => model.name === name)?.inference_ms;
    return ms == null ? name : text.modelMs(name, ms);
  };
  const choose = (model: string): void =>
    void run(async () => {
      await request(path, { method: 'PUT', body: { model } });
      await chosen.refresh();
    }).then((isDone) => isDone && announce(text.saved));
  return (
    <section class="card-box" aria-labelledby="manage-model">
      <h3 id="manage-model">{text.model}</h3>
      <div class="form">
        <label>
          {text.modelLabel}
          <select value={now?.model} disabled={isBusy || !now} onChange={(event) => choose(event.currentTarget.value)}>
            {names.map((name) => (
              <option key={name} value={name} selected={name === now?.model}>
                {nameOf(name)}
              </option>
            ))}
          </select>
        </label>
        {now && now.labels.length > 0 && (
          <p class="soft">{text.modelKnows(now.labels.slice(0, 8).join(', '), Math.max(0, now.labels.length - 8))}</p>
        )}
        <Fault error={error ?? trouble} />
      </div>
    </section>
  );
}
