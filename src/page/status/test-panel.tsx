/** "Test my connection": its steps as they are made, and the result to copy. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { verboseHealth } from '../api/status.js';
import { words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import { runTest } from './run-test.js';
import { reportText, STEPS, UNTESTED, verdictOf, type Results } from './steps.js';

/** A button, then its steps. */
export function TestPanel() {
  const text = words.value.status.test;
  const [results, setResults] = useState<Results | undefined>(undefined);
  const [copied, setCopied] = useState<boolean | undefined>(undefined);
  const running = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const verdict = results && verdictOf(results);
  useEffect(() => {
    if (verdict) announce(text.verdicts[verdict]);
  }, [verdict]);
  const start = (): void => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setCopied(undefined);
    setResults(UNTESTED);
    // One that is given up tells nobody any more.
    runTest((next) => !controller.signal.aborted && setResults(next), controller.signal).catch(() => undefined);
  };
  const report =
    results &&
    verdict &&
    reportText(
      results,
      { page: location.href, userAgent: navigator.userAgent, date: new Date(), version: verboseHealth.known.value.value?.version },
      text,
    );
  const isRunning = results !== undefined && verdict === undefined;
  return (
    <section class="status-card" aria-labelledby="status-test">
      <h3 id="status-test">{text.title}</h3>
      <p class="status-soft">{text.what}</p>
      {results && (
        <ol class="status-steps">
          {STEPS.map((step) => {
            const { outcome, text: found } = results[step];
            return (
              <li key={step} data-outcome={outcome}>
                <span class="status-outcome">{text.outcomes[outcome]}</span>
                <span>
                  <strong>{text.steps[step]}</strong>
                  {found !== '' && <span dir="auto"> {found}</span>}
                </span>
              </li>
            );
          })}
        </ol>
      )}
      {verdict && <p class={`status-verdict ${verdict}`}>{text.verdicts[verdict]}</p>}
      <div class="buttons">
        <button type="button" onClick={start} disabled={isRunning}>
          {results && !isRunning ? text.again : text.start}
        </button>
        {report !== undefined && report !== '' && (
          <button
            type="button"
            onClick={() =>
              void copy(report).then((isCopied) => {
                setCopied(isCopied);
                if (isCopied) announce(text.copied);
              })
            }
          >
            {copied === true ? text.copied : text.copy}
          </button>
        )}
      </div>
      {copied === false && (
        <label class="status-report">
          {text.copyYourself}
          <textarea readOnly rows={10} value={report} />
        </label>
      )}
    </section>
  );
}

/** Browsers allow it on https pages and on localhost only. */
async function copy(text: string): Promise<boolean> {
  const { clipboard } = navigator as Partial<Navigator>;
  if (!clipboard) return false;
  return clipboard.writeText(text).then(
    () => true,
    () => false,
  );
}
