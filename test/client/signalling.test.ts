import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { watch, type DetectionsMessage, type WatchedTrack } from '../../src/client/index.js';
import { fragment, iceParameters, withIceOf, withStartBitrate } from '../../src/client/sdp.js';
import { linkedIceServers } from '../../src/client/server-session.js';
import { FakeWorld, SERVER, fragmentOf, refusal, restarted, sdpOf } from './fakes.js';

describe('SDP fragments', () => {
  it('carry candidates of the first m-line with the ICE parameters of the description', () => {
    const text = fragment(
      sdpOf('abcd'),
      [
        { candidate: 'candidate:1 1 udp 1 10.0.0.1 1000 typ host', sdpMid: '0' },
        { candidate: 'candidate:2 1 udp 1 10.0.0.1 1001 typ host', sdpMid: '1' },
      ],
      true,
    );
    assert.equal(
      text,
      `a=ice-options:trickle\r\na=group:BUNDLE 0 1\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=ice-ufrag:abcd\r\na=ice-pwd:${'p'.repeat(20)}abcd\r\na=candidate:1 1 udp 1 10.0.0.1 1000 typ host\r\na=end-of-candidates\r\n`,
    );
  });

  it('put new ICE parameters and candidates into a description in place of the old ones, and leave the rest', () => {
    const answer = sdpOf('old1', 'a=candidate:9 1 udp 1 10.0.0.9 9 typ host', 'a=end-of-candidates', 'a=rtpmap:96 H264/90000');
    const renewed = withIceOf(answer, fragmentOf('new1')) ?? '';
    assert.deepEqual(renewed.match(/a=ice-ufrag:.*/g), ['a=ice-ufrag:new1', 'a=ice-ufrag:new1']);
    assert.deepEqual(renewed.match(/a=candidate:\d/g), ['a=candidate:1']);
    const rest = (sdp: string): string[] => sdp.split('\r\n').filter((line) => !/^a=(ice-(ufrag|pwd)|candidate|end-of)/.test(line));
    assert.deepEqual(rest(renewed), rest(answer));
    assert.doesNotMatch(renewed, /\r\r|[^\r]\n/);
  });

  it('without ICE parameters change nothing', () => {
    for (const text of ['', 'a=ice-ufrag:x', 'a=ice-pwd:y', '<html>']) assert.equal(withIceOf(sdpOf('old1'), text), undefined);
    assert.equal(iceParameters('v=0'), undefined);
  });
});

describe('ICE servers in Link headers', () => {
  it('are read with their credentials, and other links are passed over', () => {
    const header =
      '<turn:turn.example.net?transport=udp>; rel="ice-server"; username="u"; credential="p\u00e4"; credential-type="password", <stun:stun.example.net>; rel="ice-server", </docs>; rel="help", <http://x>; rel="ice-server"';
    assert.deepEqual(linkedIceServers(header), [
      { urls: ['turn:turn.example.net?transport=udp'], username: 'u', credential: 'p\u00e4' },
      { urls: ['stun:stun.example.net'] },
    ]);
    for (const none of [null, '', ',,,', '<', '<>;']) assert.deepEqual(linkedIceServers(none), []);
  });
});

describe('signalling of a viewer', () => {
  it('says what is wanted, and who asks', async () => {
    const world = new FakeWorld();
    const watching = watch(
      { server: SERVER, source: 'demo', tracks: ['raw', 'processed'], active: ['raw'], clientId: 'wall-3', token: 't0ken' },
      world.env,
    );
    await world.clock.advance(0);
    const [post] = world.of('POST');
    const { sdp, ...body } = JSON.parse(post?.body ?? '{}') as Record<string, unknown>;
    assert.match(String(sdp), /^v=0/);
    assert.deepEqual(body, { type: 'offer', source: 'demo', tracks: ['raw', 'processed'], active: ['raw'], client_id: 'wall-3' });
    assert.equal(post?.headers['authorization'], 'Bearer t0ken');
    watching.close();
  });

  it('posts the offer at once, and sends the candidates that follow in batches with the tag of the session', async () => {
    const world = new FakeWorld();
    world.connects = false;
    const watching = watch({ server: SERVER }, world.env);
    await world.clock.advance(0);
    for (const port of [1000, 1001]) world.pc.find(`candidate:1 1 udp 1 10.0.0.1 ${port} typ host`);
    await world.clock.advance(100);
    world.pc.find(`candidate:2 1 udp 1 10.0.0.1 1002 typ srflx`);
    world.pc.find(null);
    await world.clock.advance(100);
    assert.deepEqual(
      world
        .of('PATCH')
        .map(({ body, headers }) => [body.match(/a=candidate/g)?.length, /end-of-candidates/.test(body), headers['if-match']]),
      [
        [2, false, '"1"'],
        [1, true, '"1"'],
      ],
    );
    watching.close();
  });

  it('does not ask twice whether a server takes candidates, and not at all where the session has no tag', async () => {
    for (const tag of [true, false]) {
      const world = new FakeWorld();
      world.connects = false;
      world.handler = ({ method }) => {
        if (method === 'PATCH') return refusal(405, 'HTTP_405');
        return method === 'POST' && !tag
          ? Response.json({ sdp: sdpOf('theirs'), client_id: 'me', source: 'demo', session_url: '/sessions/s1' })
          : undefined;
      };
      const watching = watch({ server: SERVER }, world.env);
      await world.clock.advance(0);
      for (const port of [1000, 1001, 1002]) {
        world.pc.find(`candidate:1 1 udp 1 10.0.0.1 ${port} typ host`);
        await world.clock.advance(100);
      }
      assert.equal(world.of('PATCH').length, tag ? 1 : 0);
      watching.close();
    }
  });

  it('asks for ICE servers when no connection comes about within 3 s, and restarts ICE with them', async () => {
    const world = new FakeWorld();
    world.connects = false;
    const servers = [{ urls: ['turn:turn.example.net'], username: 'u', credential: 'c' }];
    world.handler = ({ method, path }) =>
      path === '/ice-servers' ? Response.json({ ice_servers: servers, ttl_s: 3600 }) : method === 'PATCH' ? restarted() : undefined;
    const watching = watch({ server: SERVER }, world.env);
    await world.clock.advance(0);
    await world.clock.advance(2_900);
    assert.ok(!world.requests.some(({ path }) => path === '/ice-servers'));
    await world.clock.advance(200);
    assert.deepEqual((world.pc.configuration as RTCConfiguration).iceServers, servers);
    assert.equal(world.of('PATCH')[0]?.headers['if-match'], '"*"');
    assert.equal(world.of('POST').length, 1);
    watching.close();
  });

  it('asks nobody for ICE servers where the caller names them', async () => {
    const world = new FakeWorld();
    world.connects = false;
    const watching = watch({ server: SERVER, iceServers: [{ urls: 'stun:stun.example.net' }] }, world.env);
    await world.clock.advance(0);
    await world.clock.advance(10_000);
    assert.deepEqual((world.pc.configuration as RTCConfiguration).iceServers, [{ urls: 'stun:stun.example.net' }]);
    assert.ok(!world.requests.some(({ path }) => path === '/ice-servers'));
    watching.close();
  });

  it('finds a server under a path, and a session under its own', async () => {
    const world = new FakeWorld();
    const watching = watch({ server: 'http://sightline.test/cams' }, world.env);
    await world.play(500);
    assert.equal(world.of('POST')[0]?.path, '/cams/offer');
    watching.close();
  });

  it('says again what was chosen when there is another connection: selection, filter, quality, pause', async () => {
    const world = new FakeWorld();
    const watching = watch({ server: SERVER, tracks: ['raw', 'processed'] }, world.env);
    await world.clock.advance(0);
    await world.play(500);
    void watching.select(['processed']);
    void watching.filterDetections({ minScore: 0.5, classes: ['person'] });
    void watching.selectQuality('360p');
    void watching.pause();
    await world.clock.advance(4_000);
    await world.change('closed');
    await world.clock.advance(1_100);
    await world.clock.advance(10);
    assert.equal((JSON.parse(world.of('POST')[1]?.body ?? '{}') as { active?: unknown }).active?.toString(), 'processed');
    assert.deepEqual(world.pc.channels[0]?.sent, [
      { cmd: 'detection', id: 1, min_score: 0.5, classes: ['person'] },
      { cmd: 'select', id: 2, quality: '360p' },
      { cmd: 'pause', id: 3 },
    ]);
    watching.close();
  });

  it('opens another connection for another source where the server cannot change it', async () => {
    const world = new FakeWorld();
    const watching = watch({ server: SERVER, source: 'demo' }, world.env);
    await world.clock.advance(0);
    await world.play(500);
    const change = watching.setSource('street');
    await world.clock.advance(0);
    world.pc.channels[0]?.receive('{"ok":false,"id":1,"code":"COMMAND_UNSUPPORTED","message":"no"}');
    await change;
    await world.play(500);
    assert.equal((JSON.parse(world.of('POST')[1]?.body ?? '{}') as { source?: unknown }).source, 'street');
    const refused = watching.setSource('nowhere');
    await world.clock.advance(0);
    world.pc.channels[0]?.receive('{"ok":false,"id":1,"code":"SOURCE_NOT_FOUND","message":"no source"}');
    await assert.rejects(refused, { code: 'SOURCE_NOT_FOUND' });
    assert.equal(world.of('POST').length, 2);
    watching.close();
  });

  it('keeps its streams over all connections: the picture before stays until the next one comes', async () => {
    const world = new FakeWorld();
    const tracks: WatchedTrack[] = [];
    const video = { srcObject: null as MediaStream | null };
    const watching = watch(
      { server: SERVER, video: video as unknown as HTMLVideoElement, onTrack: (track) => tracks.push(track) },
      world.env,
    );
    await world.clock.advance(0);
    await world.play(500);
    const stream = video.srcObject;
    const shown = (): unknown[] => stream?.getTracks() ?? [];
    assert.deepEqual(
      tracks.map(({ name }) => name),
      ['raw', 'audio'],
    );
    assert.deepEqual(
      shown(),
      tracks.map(({ track }) => track),
    );
    await world.change('closed');
    await world.play(1_500);
    assert.equal(tracks.length, 4);
    assert.deepEqual(
      shown(),
      tracks.slice(0, 2).map(({ track }) => track),
      'the last picture stays',
    );
    for (const { track } of tracks.slice(2)) track.dispatchEvent(new Event('unmute'));
    assert.deepEqual(
      shown(),
      tracks.slice(2).map(({ track }) => track),
    );
    assert.ok(tracks.every((track) => track.stream === stream) && video.srcObject === stream);
    watching.close();
    assert.equal(video.srcObject, null);
  });

  it('hands out detections, finds the one of a frame, and tells why there are none', async () => {
    const world = new FakeWorld();
    const [messages, errors]: [DetectionsMessage[], string[]] = [[], []];
    const watching = watch(
      { server: SERVER, onDetections: (message) => messages.push(message), onError: ({ code }) => errors.push(code) },
      world.env,
    );
    await world.clock.advance(0);
    await world.play(500);
    const channel = world.pc.channels.find(({ label }) => label === 'detections');
    const message = (raw: number): object => ({ source: 'demo', frame: 1, rtp_timestamp: { raw }, width: 640, height: 360, objects: [] });
    for (const raw of [0xffff_ffd0, 3000, 6000]) channel?.receive(JSON.stringify(message(raw)));
    for (const foreign of ['{', 'null', '[]', '{"objects":[]}', '{"error":7}', new ArrayBuffer(3)]) channel?.receive(foreign);
    channel?.receive('{"error":{"code":"DETECTION_OFF","message":"no detector"}}');
    assert.deepEqual([messages.length, errors], [3, ['DETECTION_OFF']]);
    assert.deepEqual([watching.frameFor(3090), watching.frameFor(20), watching.frameFor(3091)], [messages[1], messages[0], undefined]);
    // A server closes the channel when its source starts afresh.
    channel?.become('closed');
    await world.clock.advance(600);
    assert.equal(world.pc.channels.filter(({ label }) => label === 'detections').length, 2);
    watching.receiveDetections(false);
    await world.clock.advance(20_000);
    assert.equal(world.pc.channels.filter(({ label, readyState }) => label === 'detections' && readyState === 'open').length, 0);
    watching.close();
  });

  it('does not stumble over a listener that throws', async () => {
    const world = new FakeWorld();
    const watching = watch({ server: SERVER }, world.env);
    const thrown: unknown[] = [];
    globalThis.reportError = (error) => thrown.push(error);
    watching.on('state', ({ state }) => {
      if (state === 'connecting') throw new Error('mine');
    });
    await world.play(500);
    assert.deepEqual(thrown.map(String), ['Error: mine']);
    assert.equal(watching.state, 'playing');
    watching.close();
  });
});

it("a publisher's video begins at a bitrate that shows something, whatever the codec", () => {
  const answer = [
    'v=0',
    'm=audio 9 X 111',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 minptime=10',
    'm=video 9 X 102 103 96',
    'a=rtpmap:102 H264/90000',
    'a=fmtp:102 packetization-mode=1',
    'a=rtpmap:103 rtx/90000',
    'a=fmtp:103 apt=102',
    'a=rtpmap:96 VP8/90000',
    'm=application 9 X y',
    '',
  ].join('\r\n');
  const lines = withStartBitrate(answer, 1000).split('\r\n');
  assert.ok(lines.includes('a=fmtp:102 packetization-mode=1;x-google-start-bitrate=1000'));
  assert.ok(lines.includes('a=fmtp:96 x-google-start-bitrate=1000'));
  assert.ok(lines.includes('a=fmtp:103 apt=102'), 'retransmissions are left alone');
  assert.ok(lines.includes('a=fmtp:111 minptime=10'), 'sound is left alone');
  assert.equal(lines.length, answer.split('\r\n').length + 1);
});
