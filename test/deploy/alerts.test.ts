/** Each alert of deploy/ fires where it should and only there, as Prometheus evaluates it. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { projectRoot } from '../helpers/assets.js';
import { metricsRig } from '../helpers/metrics.js';
import { noPrometheus, promtool } from '../helpers/prometheus.js';

const FOLDER = path.join(projectRoot, 'deploy/prometheus');
const RULES = path.join(FOLDER, 'alerts.yml');

/** Series in promtool's notation, a value each 30 s: `0+2x40` is 0, 2, 4, ... 80. */
type Series = Readonly<Record<string, string>>;

interface Case {
  /** When it is looked at. */
  readonly at: string;
  /** Labels of the alert beside its name and the instance. */
  readonly labels?: string;
  /** Series without the prefix and the instance: it fires. */
  readonly bad: Series;
  /** It does not. */
  readonly good: Series;
}

const CASES: Readonly<Record<string, Case>> = {
  SightlineDown: { at: '3m', labels: 'job="sightline"', bad: { 'up{job="sightline"}': '0x20' }, good: { 'up{job="sightline"}': '1x20' } },
  SightlineRestarts: {
    at: '20m',
    bad: { 'process_start_time_seconds{}': '100x10 400x10 700x20' },
    good: { 'process_start_time_seconds{}': '100x10 400x30' },
  },
  SightlineSourceWaiting: {
    at: '3m',
    labels: 'source="gate"',
    bad: { 'source_state{source="gate",state="waiting"}': '1x20' },
    good: { 'source_state{source="gate",state="waiting"}': '1x1 0x20', 'source_state{source="gate",state="live"}': '1x20' },
  },
  SightlineSourceTrouble: {
    at: '4m',
    labels: 'source="gate"',
    bad: { 'source_troubles{source="gate"}': '1x20' },
    good: { 'source_troubles{source="gate"}': '0x20' },
  },
  SightlineFfmpegRestarts: {
    at: '11m',
    labels: 'kind="encoder",source="gate"',
    bad: { 'ffmpeg_restarts_total{source="gate",kind="encoder"}': '0+0.5x40' },
    good: { 'ffmpeg_restarts_total{source="gate",kind="encoder"}': '3x40' },
  },
  SightlineDetectorDown: {
    at: '3m',
    labels: 'model="nano"',
    bad: { 'detector_ready{model="nano"}': '0x20' },
    good: { 'detector_ready{model="nano"}': '1x20' },
  },
  SightlineDetectorFailing: {
    at: '12m',
    labels: 'model="nano"',
    bad: { 'detector_failures_total{model="nano"}': '0+10x40' },
    good: { 'detector_failures_total{model="nano"}': '10x40' },
  },
  SightlineViewersFrozen: {
    at: '11m',
    bad: { 'session_ends_total{role="viewer",reason="no-progress"}': '0+1x40' },
    good: { 'session_ends_total{role="viewer",reason="viewer-left"}': '0+1x40' },
  },
  SightlineViewersStarved: {
    at: '8m',
    bad: { 'viewer_streams{quality="sound"}': '5x40', 'viewer_streams{quality="source"}': '5x40' },
    good: { 'viewer_streams{quality="sound"}': '1x40', 'viewer_streams{quality="source"}': '9x40' },
  },
  SightlineViewerQueue: {
    at: '12m',
    bad: { 'viewer_queue_seconds_bucket{le="0.5"}': '0x40', ...histogram('viewer_queue_seconds', '', '1') },
    good: { 'viewer_queue_seconds_bucket{le="0.25"}': '0+10x40', ...histogram('viewer_queue_seconds', '', '0.5') },
  },
  SightlineJoinsFail: {
    at: '11m',
    bad: { 'sessions_started_total{role="viewer"}': '0+2x40', 'session_ends_total{role="viewer",reason="ice-timeout"}': '0+1x40' },
    good: { 'sessions_started_total{role="viewer"}': '0+2x40', 'session_ends_total{role="viewer",reason="viewer-left"}': '0+2x40' },
  },
  SightlineJoinsSlow: {
    at: '16m',
    bad: {
      'join_first_frame_seconds_bucket{role="viewer",le="5"}': '0x50',
      ...histogram('join_first_frame_seconds', 'role="viewer",', '10'),
    },
    good: {
      'join_first_frame_seconds_bucket{role="viewer",le="1"}': '0+10x50',
      ...histogram('join_first_frame_seconds', 'role="viewer",', '5'),
    },
  },
  SightlineFull: {
    at: '8m',
    labels: 'role="viewer"',
    bad: { 'sessions{role="viewer",state="connected"}': '10x40', 'session_places{role="viewer"}': '10x40' },
    good: { 'sessions{role="viewer",state="connected"}': '5x40', 'session_places{role="viewer"}': '10x40' },
  },
  SightlineEventLoop: {
    at: '4m',
    bad: { 'nodejs_eventloop_lag_p99_seconds{}': '0.5x40' },
    good: { 'nodejs_eventloop_lag_p99_seconds{}': '0.03x40' },
  },
  SightlineUdpDrops: { at: '12m', bad: { 'udp_receive_drops_total{}': '0+100x40' }, good: { 'udp_receive_drops_total{}': '7x40' } },
  SightlineWebhooksWaiting: {
    at: '8m',
    labels: 'receiver="hooks.example"',
    bad: { 'webhook_waiting_events{receiver="hooks.example"}': '500x40' },
    good: { 'webhook_waiting_events{receiver="hooks.example"}': '3x40' },
  },
  SightlineWebhooksLost: {
    at: '5m',
    labels: 'receiver="hooks.example"',
    bad: { 'webhook_events_total{receiver="hooks.example",result="failed"}': '0x4 3x20' },
    good: { 'webhook_events_total{receiver="hooks.example",result="delivered"}': '0+5x40' },
  },
  SightlineMqttDown: { at: '8m', bad: { 'mqtt_connected{}': '1x1 0x20' }, good: { 'mqtt_connected{}': '0x4 1x20' } },
  SightlineMqttLost: {
    at: '5m',
    bad: { 'mqtt_events_dropped_total{}': '0x4 3x20' },
    good: { 'mqtt_events_dropped_total{}': '3x30' },
  },
};

/** All observations between the bucket that the case has and this one. */
function histogram(name: string, labels: string, le: string): Series {
  return { [`${name}_bucket{${labels}le="${le}"}`]: '0+10x50', [`${name}_bucket{${labels}le="+Inf"}`]: '0+10x50' };
}

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string; readonly labels: { readonly severity: string } }[];
  }[];
}
const rules = (parse(readFileSync(RULES, 'utf8')) as Rules).groups.flatMap((group) => group.rules);

function seriesOf(series: Series): object[] {
  return Object.entries(series).map(([name, values]) => ({
    series: (name.startsWith('up') ? name : `sightline_${name}`).replace('{', '{instance="cam:8001",').replace(',}', '}'),
    values,
  }));
}

function testOf(alert: string, isBad: boolean, { at, labels, bad, good }: Case): object {
  const severity = rules.find((rule) => rule.alert === alert)?.labels.severity;
  const all = `alertname="${alert}",alertstate="firing",instance="cam:8001",severity="${severity}"${labels ? `,${labels}` : ''}`;
  return {
    interval: '30s',
    input_series: seriesOf(isBad ? bad : good),
    promql_expr_test: [
      {
        expr: `ALERTS{alertname="${alert}",alertstate="firing"}`,
        eval_time: at,
        exp_samples: isBad ? [{ labels: `ALERTS{${all}}`, value: 1 }] : [],
      },
    ],
  };
}

describe('deploy/prometheus', () => {
  it('has a case here for each alert', () => {
    assert.deepEqual(
      rules.map(({ alert }) => alert),
      Object.keys(CASES),
    );
  });

  it('asks for metrics that there are', async () => {
    const text = await metricsRig().metrics.scrape();
    const known = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]!));
    const asked = rules.flatMap(({ expr }) => [...expr.matchAll(/\bsightline_\w+/g)].map(([name]) => name.replace(/_bucket$/, '')));
    assert.deepEqual(
      asked.filter((name) => !known.has(name)),
      [],
    );
  });

  it('has rules and a configuration that Prometheus takes', { skip: noPrometheus }, () => {
    assert.equal(promtool(['check', 'rules', RULES]), '');
    assert.equal(promtool(['check', 'config', '--syntax-only', path.join(FOLDER, 'prometheus.yml')]), '');
  });

  it('tells of what is wrong, and of nothing else', { skip: noPrometheus }, (t) => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'sightline-alerts-'));
    t.after(() => rmSync(dir, { recursive: true }));
    const tests = Object.entries(CASES).flatMap(([alert, each]) => [testOf(alert, true, each), testOf(alert, false, each)]);
    const file = path.join(dir, 'tests.yml');
    writeFileSync(file, JSON.stringify({ rule_files: [RULES], evaluation_interval: '30s', tests }));
    assert.equal(promtool(['test', 'rules', file]), '');
  });
});
