import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { silentLogger } from '../../../src/base/logger.js';
import { PullSources } from '../../../src/source/pull/pull.js';
import { parseSources } from '../../../src/source/pull/sources-file.js';
import type { SourceFeed } from '../../../src/source/index.js';
import { eventually } from '../../helpers/deadline.js';
import { assertNothingHeld, realDeps } from '../../helpers/ffmpeg-deps.js';

const MARK = Buffer.from([0xff, 0xd8]);
const clip = execFileSync('ffmpeg', [
  '-nostdin',
  '-v',
  'error',
  '-f',
  'lavfi',
  '-i',
  'testsrc2=size=160x90:rate=5',
  '-t',
  '2',
  '-c:v',
  'mjpeg',
  '-q:v',
  '5',
  '-pix_fmt',
  'yuvj420p',
  '-f',
  'mjpeg',
  'pipe:1',
]);
const pictures = clip
  .toString('latin1')
  .split(MARK.toString('latin1'))
  .slice(1)
  .map((rest) => Buffer.concat([MARK, Buffer.from(rest, 'latin1')]));

/** How a camera tells its pictures apart. */
interface Habit {
  /** Of the answer; empty: none. */
  readonly contentType: string;
  /** `LENGTH` is the size of the picture. */
  readonly before: string;
  readonly after: string;
  readonly fps?: number;
}

const MULTIPART = 'multipart/x-mixed-replace; boundary=frame';
const PART = '--frame\r\nContent-Type: image/jpeg\r\nContent-Length: LENGTH\r\n\r\n';
const HABITS: Readonly<Record<string, Habit>> = {
  'no boundary before the first part': {
    contentType: MULTIPART,
    before: 'Content-Type: image/jpeg\r\nContent-Length: LENGTH\r\n\r\n',
    after: '\r\n--frame\r\n',
  },
  'a type that is not quite right': { contentType: MULTIPART, before: PART.replace('jpeg', 'jpg'), after: '\r\n' },
  'boundaries without dashes': { contentType: MULTIPART, before: PART.replace('--', ''), after: '\r\n' },
  'parts without headers': { contentType: MULTIPART, before: '--frame\r\n\r\n', after: '\r\n' },
  'nothing said of what it is': { contentType: '', before: PART, after: '\r\n' },
  'parts without a length': { contentType: MULTIPART, before: '--frame\r\nContent-Type: image/jpeg\r\n\r\n', after: '\r\n' },
  'a boundary in quotes': { contentType: MULTIPART.replace('frame', '"frame"'), before: PART, after: '\r\n' },
  'a boundary announced with its dashes': { contentType: MULTIPART.replace('frame', '--frame'), before: PART, after: '\r\n' },
  'nothing between its pictures': { contentType: 'image/jpeg', before: '', after: '' },
  'a picture in 2.5 s': { contentType: MULTIPART, before: PART, after: '\r\n', fps: 0.4 },
};

const servers: Server[] = [];
const feeds: SourceFeed[] = [];
after(async () => {
  await Promise.all(feeds.map((feed) => feed.close()));
  for (const server of servers) server.closeAllConnections();
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
});

async function serve(habit: Habit): Promise<string> {
  const server = createServer((_request, response) => send(habit, response));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/stream`;
}

function send({ contentType, before, after: behind, fps = 5 }: Habit, response: ServerResponse): void {
  response.writeHead(200, contentType === '' ? {} : { 'content-type': contentType });
  let n = 0;
  const next = (): void => {
    const picture = pictures[n++ % pictures.length] as Buffer;
    response.write(Buffer.concat([Buffer.from(before.replace('LENGTH', String(picture.length))), picture, Buffer.from(behind)]));
  };
  next();
  const timer = setInterval(next, 1000 / fps);
  response.once('close', () => clearInterval(timer));
}

for (const [what, habit] of Object.entries(HABITS)) {
  test(`an HTTP camera with ${what} is watched, at the time its pictures come`, async () => {
    const deps = { ...realDeps(), logger: silentLogger };
    const pulls = new PullSources({
      ...deps,
      entries: parseSources(JSON.stringify({ sources: [{ name: 'cam', url: await serve(habit) }] }), { variables: {} }),
      caption: () => Promise.resolve(),
    });
    await pulls.prepare('cam');
    const source = pulls.get('cam');
    assert.equal(source?.widthPx, 160, source?.reason);
    const times: number[] = [];
    const waiting: boolean[] = [];
    const ignore = (): void => undefined;
    const feed = source.open(
      {
        encodedVideo: ignore,
        audio: ignore,
        picture: ({ mediaTimeMs }) => times.push(mediaTimeMs),
        waiting: (isWaiting) => waiting.push(isWaiting),
      },
      deps,
    );
    feeds.push(feed);
    await eventually(() => times.length > 0 && feed.live?.isWaiting === false, 15_000, 'the first picture');
    const [count, changes] = [times.length, waiting.length];
    await eventually(() => times.length >= count + 4, 20_000, 'pictures');
    const lagMs = (feed.timeline.mediaTimeAt(Date.now()) as number) - (times.at(-1) as number);
    assert.ok(Math.abs(lagMs) < 2_000, `${lagMs} ms behind`);
    assert.deepEqual([waiting.length - changes, feed.restarts], [0, 0]);
    await feed.close();
    await pulls.close();
    assertNothingHeld(deps);
  });
}
