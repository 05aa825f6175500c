/** Debian's Prometheus, and its tool that checks what is written for it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { eventually } from './deadline.js';
import { freePort } from './free-port.js';

/** For `it(..., { skip })`: why there is none. */
export const noPrometheus: string | false =
  spawnSync('prometheus', ['--version']).error || spawnSync('promtool', ['--version']).error
    ? 'prometheus is not installed (Debian: prometheus)'
    : false;

/** What promtool complains of; empty where all is well. */
export function promtool(args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync('promtool', [...args], { input, encoding: 'utf8', timeout: 60_000 });
  return status === 0 ? stderr : `${stdout}${stderr}exit code ${status}`;
}

/** What a query gives: one entry for each series. */
type Vector = readonly { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }[];

interface Prometheus {
  /** Evaluates PromQL now. @throws Error with what Prometheus says of it */
  query(query: string): Promise<Vector>;
}

/** Scrapes a server ten times a second on 127.0.0.1; ended after the test. */
export async function startPrometheus(t: TestContext, serverUrl: string): Promise<Prometheus> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'sightline-prometheus-'));
  const port = await freePort();
  const config = {
    global: { scrape_interval: '200ms', scrape_timeout: '200ms' },
    scrape_configs: [{ job_name: 'sightline', static_configs: [{ targets: [new URL(serverUrl).host] }] }],
  };
  // YAML is a superset of JSON.
  writeFileSync(path.join(dir, 'prometheus.yml'), JSON.stringify(config));
  const flags = [`--config.file=${dir}/prometheus.yml`, `--storage.tsdb.path=${dir}/data`, `--web.listen-address=127.0.0.1:${port}`];
  const child = spawn('prometheus', flags, { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (data) => (output += String(data)));
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(dir, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually(
    async () => {
      if (child.exitCode !== null) throw new Error(`prometheus ended: ${output}`);
      return fetch(`${url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    },
    20_000,
    'prometheus to be ready',
  );
  return {
    query: async (query) => {
      const response = await fetch(`${url}/api/v1/query`, { method: 'POST', body: new URLSearchParams({ query }) });
      const answer = (await response.json()) as { data?: { result: Vector }; error?: string };
      if (!answer.data) throw new Error(`${query}: ${answer.error}`);
      return answer.data.result;
    },
  };
}
