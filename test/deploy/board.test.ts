/** The board of deploy/grafana over a real Prometheus that scrapes a real server. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { projectRoot } from '../helpers/assets.js';
import { eventually } from '../helpers/deadline.js';
import { noPrometheus, startPrometheus } from '../helpers/prometheus.js';
import { publishClip } from '../helpers/publish-clip.js';
import { TestServer } from '../helpers/server.js';

const FOLDER = path.join(projectRoot, 'deploy/grafana');

interface Area {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface Board {
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly gridPos: Area;
    readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
  }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[] };
}

const board = JSON.parse(readFileSync(path.join(FOLDER, 'dashboards/sightline.json'), 'utf8')) as Board;
const targets = board.panels.flatMap(({ title, targets: own = [] }) => own.map((target) => ({ title, ...target })));

/** As Grafana asks, with everything chosen. */
const filledIn = (expr: string): string => expr.replaceAll('$__rate_interval', '10s').replace(/\$(instance|source)\b/g, '.*');

describe('deploy/grafana', () => {
  it('has panels that do not overlap, each with an id and a title of its own', () => {
    for (const values of [board.panels.map(({ id }) => id), board.panels.map(({ title }) => title)])
      assert.equal(new Set<unknown>(values).size, values.length);
    const cells = board.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_unused, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    assert.equal(new Set(cells).size, cells.length);
    assert.ok(board.panels.every(({ gridPos: { x, w } }) => x + w <= 24));
  });

  it('shows all that is measured of webhooks, of the MQTT broker and of forwards', async () => {
    const server = await TestServer.start([['copyable.mp4', 'street.mp4']]);
    const text = await (await fetch(`${server.url}/metrics`)).text().finally(() => server.close());
    const measured = [...text.matchAll(/^# TYPE (sightline_(?:webhook|mqtt|forward)\w*)/gm)].map(([, name]) => name ?? '');
    assert.ok(measured.length > 8);
    for (const name of measured)
      assert.ok(
        targets.some(({ expr }) => new RegExp(`\\b${name}\\b`).test(expr)),
        name,
      );
  });

  it('is provisioned with what its variables name', () => {
    const provisioned = parse(readFileSync(path.join(FOLDER, 'provisioning/datasources/prometheus.yaml'), 'utf8')) as {
      datasources: readonly { uid: string; type: string }[];
    };
    assert.deepEqual(
      provisioned.datasources.map(({ uid, type }) => [uid, type]),
      [['prometheus', 'prometheus']],
    );
    assert.ok(existsSync(path.join(FOLDER, 'provisioning/dashboards/sightline.yaml')));
    const used = new Set(targets.flatMap(({ expr }) => [...expr.matchAll(/\$(\w+)/g)].map((match) => match[1]!)));
    assert.deepEqual(
      [...used].sort(),
      ['__rate_interval', ...board.templating.list.filter(({ type }) => type === 'query').map(({ name }) => name)].sort(),
    );
  });

  it('shows something in every panel while a viewer and a publisher are there', { skip: noPrometheus, timeout: 240_000 }, async (t) => {
    const server = await TestServer.start([['copyable.mp4', 'street.mp4']], {
      MODEL: 'models/sightline-demo.onnx',
      WEBHOOK_URL: 'http://127.0.0.1:9/events',
      MQTT_URL: 'mqtt://127.0.0.1:9',
    });
    t.after(() => server.close());
    const prometheus = await startPrometheus(t, server.url);
    t.after(await publishClip(server.url, 'gate'));
    const viewer = await server.join({ source: 'street', tracks: ['processed'] });
    await viewer.until(() => viewer.packets.length > 30, 20_000, 'video');
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const known = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]!));
    for (const { title, expr, legendFormat } of targets) {
      for (const [name] of expr.matchAll(/\bsightline_\w+/g))
        assert.ok(known.has(name.replace(/_(bucket|sum|count)$/, '')) || known.has(name), name);
      const found = await eventually(
        async () => {
          const series = await prometheus.query(filledIn(expr));
          return series.length > 0 ? series : undefined;
        },
        30_000,
        `something in '${title}': ${expr}`,
      );
      // Where nothing has happened yet there is a 0 without labels.
      if (expr.endsWith('or vector(0)')) continue;
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        assert.ok(label! in found[0]!.metric, `${title}: ${label} of ${expr}`);
    }
    for (const { definition } of board.templating.list) {
      const asked = /^label_values\((.+), (\w+)\)$/.exec(definition ?? '');
      if (asked) assert.ok(asked[2]! in ((await prometheus.query(filledIn(asked[1]!)))[0]?.metric ?? {}), definition);
    }
  });
});
