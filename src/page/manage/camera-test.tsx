/** Tries a camera when somebody asks for it, and says what it sends or what is wrong with it. */
import { useState } from 'preact/hooks';
import { probeSource, type Probed, type ProbedStream, type SourceDescription } from '../api/managed-sources.js';
import { words } from '../strings/index.js';
import { useAction } from '../ui/action.js';
import { Fault } from '../ui/fault.js';

/** A button, and what was found. @param description of what is tried */
export function CameraTest({
  description,
  isDisabled = false,
}: {
  readonly description: SourceDescription;
  readonly isDisabled?: boolean;
}) {
  const text = words.value.manage;
  const { isBusy, error, run } = useAction();
  const [seen, setSeen] = useState<{ readonly of: string; readonly probed: Probed } | undefined>(undefined);
  const of = JSON.stringify(description);
  const test = (): void =>
    void run(async (signal) => {
      setSeen(undefined);
      setSeen({ of, probed: await probeSource(description, signal) });
    });
  return (
    <div class="camera-test">
      <button type="button" class="button" disabled={isBusy || isDisabled} onClick={test}>
        {isBusy ? text.testing : text.test}
      </button>
      <small>{text.testHelp}</small>
      <Fault error={error} />
      {/* What was found of another address says nothing of this one. */}
      <div role="status">{seen?.of === of && <Found probed={seen.probed} />}</div>
    </div>
  );
}

function Found({ probed }: { readonly probed: Probed }) {
  const text = words.value.manage;
  const { reachable, cause, problems, low } = probed;
  if (!reachable)
    return (
      <div class="found wrong">
        <strong>{text.cause[cause ?? ''] ?? text.unreachable}</strong>
        {problems.map((problem) => (
          <p key={problem}>{problem}</p>
        ))}
      </div>
    );
  return (
    <div class={`found ${probed.delivery === null ? 'wrong' : ''}`}>
      <strong>{probed.delivery === null ? text.notPlayable : text.works[probed.delivery]}</strong>
      <p>{streamText(probed)}</p>
      {problems.map((problem) => (
        <p key={problem}>{problem}</p>
      ))}
      {low && <p>{low.reachable ? text.lowWorks(streamText(low)) : text.lowFails(low.problems.join(' '))}</p>}
    </div>
  );
}

function streamText({ video_codec: codec, width, height, fps, audio_codec: audio }: ProbedStream): string {
  const size = width && height ? `${width} × ${height}` : undefined;
  const rate = fps ? `${Math.round(fps)} fps` : undefined;
  return [codec, size, rate, audio ?? words.value.manage.noSound].filter(Boolean).join(' · ');
}
