/** What works and what does not, in words, and what the server takes of its machine. */
import { useRef } from 'preact/hooks';
import { verboseHealth, type Finding, type VerboseHealth } from '../api/status.js';
import { faultText } from '../strings/faults.js';
import { language, words } from '../strings/index.js';
import { bytesText, durationText } from './figures.js';

/** Worst first. */
const ORDER = { failed: 0, warning: 1, ok: 2 } as const;

/** Of a server that is degraded, too: it says so with an error's status. */
export function healthNow(): VerboseHealth | undefined {
  const { value, trouble } = verboseHealth.known.value;
  return trouble?.status === 503 ? (trouble.body as VerboseHealth) : value;
}

/** What it found, and the process. */
export function HealthPanel() {
  const text = words.value.status;
  const { trouble } = verboseHealth.known.value;
  const health = healthNow();
  const cpu = useCpu(health);
  const findings = [...(health?.findings ?? [])].sort((a, b) => ORDER[a.state] - ORDER[b.state]);
  const isOut = trouble !== undefined && trouble.status !== 503;
  return (
    <section class="status-card" aria-labelledby="status-health">
      <h3 id="status-health">{text.health}</h3>
      <p class={`status-verdict ${isOut ? 'failed' : verdictOf(health)}`} role="status">
        {isOut ? faultText(trouble) : text.verdicts[verdictOf(health)]}
      </p>
      <ul class="status-findings">
        {findings.map(({ state, what, text: found }) => (
          <li key={`${what} ${found}`} data-state={state}>
            <span class="status-outcome">{text.states[state]}</span>
            <span>
              <strong>{text.whats[what] ?? what}</strong> <span dir="auto">{found}</span>
            </span>
          </li>
        ))}
      </ul>
      <dl class="status-figures">
        <Figure name={text.uptime} value={health?.uptime_s === undefined ? undefined : durationText(health.uptime_s, language.value)} />
        <Figure name={text.cpu} value={cpu === undefined ? undefined : text.cores(cpu)} />
        <Figure name={text.memory} value={health?.process && bytesText(health.process.rss_bytes, language.value)} />
        <Figure name={text.version} value={health?.version} />
      </dl>
    </section>
  );
}

function Figure({ name, value }: { readonly name: string; readonly value: string | undefined }) {
  if (value === undefined) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** `unknown` before the first answer. */
function verdictOf(health: VerboseHealth | undefined): Finding['state'] | 'unknown' {
  if (!health) return 'unknown';
  const states = (health.findings ?? []).map(({ state }) => state);
  if (health.status === 'degraded' || states.includes('failed')) return 'failed';
  return states.includes('warning') ? 'warning' : 'ok';
}

/** Cores that the server's process keeps busy, between the last two answers; undefined before there are two. */
function useCpu(health: VerboseHealth | undefined): number | undefined {
  const last = useRef<{ readonly cpuS: number; readonly uptimeS: number; readonly cores: number | undefined } | undefined>(undefined);
  const [cpuS, uptimeS] = [health?.process?.cpu_s, health?.uptime_s];
  const before = last.current;
  if (cpuS === undefined || uptimeS === undefined || before?.uptimeS === uptimeS) return before?.cores;
  const cores = before && uptimeS > before.uptimeS ? (cpuS - before.cpuS) / (uptimeS - before.uptimeS) : undefined;
  last.current = { cpuS, uptimeS, cores };
  return cores;
}
