/** Recordings around events in the whole server: a real detector sees something cross a line, and the seconds around it are kept. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bundledModel } from '../src/config.js';
import { eventually } from './helpers/deadline.js';
import { demoClip } from './helpers/demo-labels.js';
import { TestServer } from './helpers/server.js';

interface Range {
  readonly from: number;
  readonly to: number;
}

const [PRE_S, POST_S] = [2, 1];
/** Between two keyframes of the demo. */
const GROUP_S = 2;
/** A frame, and what is rounded. */
const SLACK_S = 0.1;
const LINE = { units: 'fraction', zones: [], lines: [{ id: 'middle', from: [0.5, 1], to: [0.5, 0] }] };
const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-around-events-'));
const [videos, recordDir] = [path.join(folder, 'videos'), path.join(folder, 'recordings')];

describe('recordings around events', { timeout: 240_000 }, () => {
  let server: TestServer;

  before(async () => {
    mkdirSync(videos);
    copyFileSync(demoClip, path.join(videos, 'demo.mp4'));
    server = await TestServer.start([], {
      MODEL: bundledModel,
      UPLOAD_DIR: videos,
      RECORD_DIR: recordDir,
      RECORD_MIN_FREE: '0',
      STATE_DIR: path.join(folder, 'state'),
    });
  });

  after(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function put(pathName: string, body: object): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(server.url + pathName, { method: 'PUT', headers, body: JSON.stringify(body) });
    assert.equal(response.status, 200, await response.text());
  }
  const stateOf = async (): Promise<string> => (await server.get<{ state: string }>('/sources/demo/recording')).state;
  const ranges = async (): Promise<readonly Range[]> => (await server.get<{ ranges?: Range[] }>('/recordings/demo')).ranges ?? [];
  const crossings = async (): Promise<number[]> =>
    (await server.get<{ events: { at: number }[] }>('/events?source=demo&type=cross&limit=1000')).events.map(({ at }) => at);

  it('begin at a keyframe the seconds before, and end the seconds after; in between nothing is written', async () => {
    await put('/sources/demo/recording', { mode: 'events', pre_s: PRE_S, post_s: POST_S });
    await eventually(async () => (await stateOf()) === 'waiting', 60_000, 'the recording to wait');
    // What an event reaches back to has to have been played.
    const playedS = await eventually(
      async () => {
        const { sources } = await server.get<{ sources: { source: string }[] }>('/active-streams');
        return sources.some(({ source }) => source === 'demo') ? Date.now() / 1000 : undefined;
      },
      60_000,
      'the source to run',
    );
    await eventually(() => Date.now() / 1000 > playedS + PRE_S + 2 * GROUP_S, 60_000, 'the seconds before');
    assert.equal(await stateOf(), 'waiting');
    assert.equal(existsSync(path.join(recordDir, 'demo')), false, 'nothing happens, nothing is written');

    await put('/sources/demo/zones', LINE);
    await eventually(async () => (await crossings()).length > 0 && (await ranges()).length > 0, 120_000, 'a recording of a crossing');
    assert.equal((await fetch(`${server.url}/sources/demo/zones`, { method: 'DELETE' })).status, 200);
    await eventually(async () => (await stateOf()) === 'waiting', 60_000, 'the end of the recording');

    const happened = (await crossings()).sort((a, b) => a - b);
    const recorded = await ranges();
    for (const { from, to } of recorded) {
      const within = happened.filter((at) => at >= from && at <= to);
      const [first, last] = [within[0], within.at(-1)];
      assert.ok(first !== undefined && last !== undefined, `nothing happened from ${from} to ${to}: ${happened.join()}`);
      assert.ok(to >= last + POST_S - SLACK_S, `it ends ${to - last} s after what happened`);
      assert.ok(to <= last + POST_S + SLACK_S, `it ends ${to - last} s after what happened`);
    }
    const [{ from }, first] = [recorded[0] as Range, happened[0] as number];
    assert.ok(first - from >= PRE_S - SLACK_S && first - from <= PRE_S + GROUP_S + SLACK_S, `it begins ${first - from} s before`);
  });

  it('are files that begin with a keyframe and play without a word', () => {
    const files = readdirSync(recordDir, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.mp4'));
    assert.ok(files.length > 0);
    for (const file of files) {
      const args: string[] = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=flags', '-of', 'csv=p=0'];
      const text = execFileSync('ffprobe', [...args, path.join(recordDir, file)], { encoding: 'utf8' });
      assert.match(text, /^K/, file);
    }
  });
});
