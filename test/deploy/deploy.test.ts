import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { Message, methods } from 'werift';
import { parse, parseAllDocuments } from 'yaml';
import { systemClock } from '../../src/base/clock.js';
import { parseConfig, throwIfOpen } from '../../src/config.js';
import { TurnClient, TurnRefusal } from '../../src/webrtc/ice/turn/client.js';
import { splitIceServers } from '../../src/webrtc/ice/turn/server.js';
import { openTurnTransport } from '../../src/webrtc/ice/turn/transport.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { projectRoot } from '../helpers/assets.js';
import { noCoturn, startCoturn } from '../helpers/coturn.js';
import { TestServer } from '../helpers/server.js';

const CONFIGURATION = path.join(projectRoot, 'deploy/coturn/turnserver.conf');

const noSystemd = spawnSync('systemd-analyze', ['--version']).error ? 'systemd-analyze is not installed' : false;

const noCurl = spawnSync('curl', ['--version']).error ? 'curl is not installed' : false;

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly {
          readonly env: readonly { readonly name: string; readonly value?: string }[];
          readonly ports: readonly {
            readonly name: string;
            readonly containerPort: number;
            readonly hostPort?: number;
            readonly protocol: string;
          }[];
        }[];
      };
    };
  };
}

interface Service {
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly volumes?: readonly string[];
  readonly profiles?: readonly string[];
  readonly mem_limit?: string;
  readonly pids_limit?: number;
  readonly logging?: { readonly options?: Readonly<Record<string, string>> };
}

function compose(): Readonly<Record<string, Service>> {
  return (parse(readFileSync(path.join(projectRoot, 'deploy/compose.yaml'), 'utf8')) as { services: Record<string, Service> }).services;
}

/** What Compose puts in place of its variables. */
function filledIn(text: string): string {
  const values: Readonly<Record<string, string>> = { PUBLIC_IP: '203.0.113.10', TURN_SECRET: 'secret', ADMIN_TOKEN: 'sixteen-letters!' };
  return text.replace(/\$\{([A-Z_]+)[^}]*\}/g, (_all, name: string) => values[name] ?? '');
}

describe('deploy/', () => {
  it('explains every line of the coturn configuration', () => {
    const lines = readFileSync(CONFIGURATION, 'utf8').split('\n');
    const settings = lines.filter((line) => line !== '' && !line.startsWith('#'));
    assert.ok(settings.length > 30);
    lines.forEach((line, i) => {
      if (line === '' || line.startsWith('#')) return;
      const above = lines[i - 1] ?? '';
      const isOfAGroup = above !== '' && !above.startsWith('#');
      assert.ok(isOfAGroup || above.startsWith('# '), `line ${i + 1}, '${line}', is explained`);
    });
    assert.ok(!settings.some((line) => line.startsWith('static-auth-secret') || line.startsWith('allow-loopback-peers')));
  });

  it('starts a server again that was ended, and lets it be ended: it is not the first process of its container', () => {
    const { services } = parse(readFileSync(path.join(projectRoot, 'deploy/compose.yaml'), 'utf8')) as {
      services: { sightline: { restart: string } };
    };
    assert.equal(services.sightline.restart, 'unless-stopped');
    assert.match(readFileSync(path.join(projectRoot, 'deploy/Dockerfile'), 'utf8'), /^ENTRYPOINT \["tini", "--"\]$/m);
  });

  it('leaves out of the image what other platforms need', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-image-'));
    try {
      const binaries = path.join(folder, 'node_modules/onnxruntime-node/bin/napi-v6');
      const platforms = ['darwin/arm64', 'linux/arm64', 'linux/x64', 'win32/arm64', 'win32/x64'].map((name) => path.join(binaries, name));
      const ffmpeg = ['@ffmpeg-installer', '@ffprobe-installer'].map((name) => path.join(folder, 'node_modules', name, 'linux-x64'));
      for (const made of [...platforms, ...ffmpeg]) mkdirSync(made, { recursive: true });
      const [, command = ''] =
        /^RUN (find node_modules\/onnxruntime[^]*?[^\\])\n/m.exec(readFileSync(path.join(projectRoot, 'deploy/Dockerfile'), 'utf8')) ?? [];
      execFileSync('sh', ['-ec', command], { cwd: folder });
      assert.deepEqual(
        [...platforms, ...ffmpeg].filter((made) => existsSync(made)),
        [path.join(binaries, 'linux', process.arch)],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('has a service whose command this server has, which is started again, and writes to its own folder alone', () => {
    const unit = readFileSync(path.join(projectRoot, 'deploy/sightline.service'), 'utf8');
    for (const line of [
      'ExecStart=/usr/bin/env sightline serve',
      'DynamicUser=yes',
      'StateDirectory=sightline',
      'WorkingDirectory=%S/sightline',
    ]) {
      assert.ok(unit.split('\n').includes(line), line);
    }
    assert.match(unit, /^Restart=on-failure$[^]*^NoNewPrivileges=yes$[^]*^ProtectSystem=strict$/m);
  });

  it('has a service that systemd takes without a complaint, and calls well confined', { skip: noSystemd }, () => {
    const unit = path.join(projectRoot, 'deploy/sightline.service');
    const verified = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
    assert.deepEqual([verified.status, verified.stderr], [0, '']);
    const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', unit], { encoding: 'utf8' });
    const exposure = Number(/exposure level for sightline\.service: ([\d.]+)/.exec(stdout)?.[1]);
    assert.ok(exposure <= 2, stdout);
  });

  it('needs one UDP port for media, which compose file, Kubernetes and image agree on with the server', () => {
    const environment = compose()['sightline']?.environment ?? {};
    assert.deepEqual(
      [environment['ICE_UDP_PORT'], environment['ICE_PORT_RANGE'], environment['ICE_TCP_PORT']],
      ['40000', undefined, '40000'],
    );
    assert.match(readFileSync(path.join(projectRoot, 'deploy/Dockerfile'), 'utf8'), /^EXPOSE 8001\/tcp 8001\/udp$/m);
    const [deployment, service] = parseAllDocuments(readFileSync(path.join(projectRoot, 'deploy/kubernetes.yaml'), 'utf8')).map(
      (document) => document.toJS() as Deployment & { spec: { ports: readonly { targetPort: string }[] } },
    );
    const container = deployment?.spec.template.spec.containers[0];
    assert.ok(container);
    // What comes from elsewhere: a secret, and the address of the node.
    const elsewhere: Readonly<Record<string, string>> = { ADMIN_TOKEN: 'sixteen-letters!', PUBLIC_IPS: '203.0.113.10' };
    const values = container.env.map(({ name, value }) => [name, value ?? elsewhere[name]] as const);
    const config = parseConfig(Object.fromEntries(values));
    assert.deepEqual(config.PUBLIC_IPS, ['203.0.113.10']);
    assert.doesNotThrow(() => throwIfOpen(config));
    const udp = container.ports.filter(({ protocol }) => protocol === 'UDP');
    assert.deepEqual(
      udp.map(({ containerPort, hostPort }) => [containerPort, hostPort]),
      [[config.ICE_UDP_PORT, config.ICE_UDP_PORT]],
    );
    const http = container.ports.find(({ name }) => name === service?.spec.ports[0]?.targetPort);
    assert.equal(http?.containerPort, config.PORT);
  });

  it('has a compose file whose variables this server takes', () => {
    const { sightline, coturn } = compose();
    assert.ok(sightline?.environment && sightline.build && coturn?.command);
    const config = parseConfig(Object.fromEntries(Object.entries(sightline.environment).map(([name, value]) => [name, filledIn(value)])));
    assert.deepEqual(config.TURN_URLS, ['turn:203.0.113.10:3478', 'turn:203.0.113.10:3478?transport=tcp']);
    assert.equal(config.TURN_SECRET, 'secret');
    assert.equal(config.ADMIN_TOKEN, 'sixteen-letters!');
    assert.match(sightline.environment['ADMIN_TOKEN'] ?? '', /^\$\{ADMIN_TOKEN:\?set ADMIN_TOKEN /, 'it does not start without one');
    assert.ok(
      readFileSync(path.join(projectRoot, 'deploy', sightline.build.context, sightline.build.dockerfile), 'utf8').includes(
        'scripts/start.mjs',
      ),
    );
    assert.ok(coturn.command.includes('--static-auth-secret=${TURN_SECRET}'));
    assert.ok(coturn.volumes?.some((volume) => volume.startsWith('./coturn/turnserver.conf:')));
  });

  it('bounds memory and processes of everything that it runs, and the logs of containers', () => {
    for (const [name, service] of Object.entries(compose())) {
      assert.match(filledIn(String(service.mem_limit)) || '2g', /^[1-9]\d*[mg]$/, name);
      assert.ok(Number(service.pids_limit) >= 128, name);
      assert.ok(service.logging?.options?.['max-size'] !== undefined, name);
    }
    const [deployment] = parseAllDocuments(readFileSync(path.join(projectRoot, 'deploy/kubernetes.yaml'), 'utf8')).map(
      (document) => document.toJS() as { spec: { template: { spec: { containers: { resources: { limits: { memory: string } } }[] } } } },
    );
    for (const { resources } of deployment?.spec.template.spec.containers ?? []) assert.match(resources.limits.memory, /^\d+Gi$/);
    const unit = readFileSync(path.join(projectRoot, 'deploy/sightline.service'), 'utf8');
    assert.match(unit, /^MemoryMax=\d+G$[^]*^TasksMax=\d+$/m);
  });

  it('says how to make each secret that compose does not start without', () => {
    const text = readFileSync(path.join(projectRoot, 'deploy/compose.yaml'), 'utf8');
    const needed = [...text.matchAll(/\$\{([A-Z_]+):\?([^}]+)\}/g)].map(([, name = '', message = '']) => [name, message] as const);
    assert.deepEqual(needed.map(([name]) => name).toSorted(), ['ADMIN_TOKEN', 'PUBLIC_IP', 'TURN_SECRET']);
    for (const [name, message] of needed)
      assert.match(message, name === 'PUBLIC_IP' ? /^set PUBLIC_IP to/ : /openssl rand -hex 32 makes one/);
  });

  it(
    'gives Prometheus a token that reads metrics and nothing else, as its README makes one',
    { skip: noCurl, timeout: 60_000 },
    async (t) => {
      const { secrets } = parse(readFileSync(path.join(projectRoot, 'deploy/compose.yaml'), 'utf8')) as {
        secrets: { metrics_token: { environment: string } };
      };
      assert.equal(secrets.metrics_token.environment, 'METRICS_TOKEN');
      const [command = ''] =
        /^export METRICS_TOKEN=[^]*?(?=\ndocker)/m.exec(readFileSync(path.join(projectRoot, 'deploy/README.md'), 'utf8')) ?? [];
      assert.ok(command.includes('http://127.0.0.1:8001/'));
      const admin = 'an-admin-of-this-test';
      const server = await TestServer.start([['copyable.mp4', 'street.mp4']], { ADMIN_TOKEN: admin });
      t.after(() => server.close());
      const script = `${command.replace('http://127.0.0.1:8001', server.url)}\nprintf %s "$METRICS_TOKEN"`;
      const { stdout: token } = await promisify(execFile)('sh', ['-ec', script], { env: { ...process.env, ADMIN_TOKEN: admin } });
      assert.match(token, /^[\w-]{43}$/);
      const statusOf = async (address: string): Promise<number> =>
        (await fetch(server.url + address, { headers: { authorization: `Bearer ${token}` } })).status;
      assert.deepEqual(
        await Promise.all(['/metrics', '/connection-stats', '/users', '/snapshot/street.jpg', '/events'].map(statusOf)),
        [200, 403, 403, 403, 403],
      );
    },
  );

  it('mounts what there is, and starts Prometheus and Grafana where they are asked for alone', () => {
    const services = compose();
    for (const name of ['prometheus', 'grafana']) assert.deepEqual(services[name]?.profiles, ['monitoring']);
    const mounted = Object.values(services).flatMap(({ volumes = [] }) => volumes.filter((volume) => volume.startsWith('./')));
    assert.ok(mounted.length >= 4);
    for (const volume of mounted) assert.ok(existsSync(path.join(projectRoot, 'deploy', volume.split(':')[0] ?? '')), volume);
  });
});

describe('the coturn configuration', { skip: noCoturn }, () => {
  it('is taken by a real coturn without a complaint', async (t) => {
    const coturn = await startCoturn(t, { file: CONFIGURATION, allowLoopbackPeers: false });
    const complaints = coturn
      .output()
      .split('\n')
      .filter(
        (line) =>
          /bad config|unknown|unrecognized|invalid|wrong|deprecat|error|cannot find|not found/i.test(line) &&
          !/socket: Protocol not supported/.test(line),
      );
    assert.deepEqual(complaints, []);
  });

  it('relays for who has credentials from the secret, and not to private, loopback or metadata addresses', async (t) => {
    const coturn = await startCoturn(t, { file: CONFIGURATION, allowLoopbackPeers: false });
    const client = await connect(t, coturn.port, coturn.credentials());
    await client.request(methods.ALLOCATE, (request) => request.setAttribute('REQUESTED-TRANSPORT', 17 << 24));
    for (const address of [
      '127.0.0.1',
      '10.1.2.3',
      '100.64.0.1',
      '169.254.169.254',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '0.0.0.1',
      '198.18.0.1',
      '224.0.0.1',
      '255.255.255.255',
    ]) {
      await assert.rejects(
        client.request(methods.CREATE_PERMISSION, permission(address)),
        (error) => error instanceof TurnRefusal && error.errorCode === 403,
        address,
      );
    }
    // A permission sends nothing; these are addresses next to the denied ones, and no packet goes there.
    for (const address of ['172.15.255.255', '172.32.0.1', '100.128.0.1', '11.0.0.1'])
      await assert.doesNotReject(
        client.request(methods.CREATE_PERMISSION, permission(address)),
        `${address} ${coturn.output().slice(-1500)}`,
      );
  });

  it('counts what users hold by their names, whichever credentials they have', async (t) => {
    const coturn = await startCoturn(t, { lines: ['user-quota=2'] });
    const allocate = async (name: string, ttlS: number): Promise<unknown> => {
      const client = await connect(t, coturn.port, coturn.credentials(ttlS, name));
      return client.request(methods.ALLOCATE, (request) => request.setAttribute('REQUESTED-TRANSPORT', 17 << 24));
    };
    await allocate('alice@user', 600);
    await allocate('alice@user', 700);
    await assert.rejects(allocate('alice@user', 800), (error) => error instanceof TurnRefusal && error.errorCode === 486);
    await allocate('bob@user', 600);
  });

  it('refuses credentials that are wrong or have expired', async (t) => {
    const coturn = await startCoturn(t, { file: CONFIGURATION, allowLoopbackPeers: false });
    for (const credentials of [
      coturn.credentials(-10),
      { ...coturn.credentials(), credential: 'wrong' },
      { username: 'somebody', credential: coturn.secret },
    ]) {
      const client = await connect(t, coturn.port, credentials);
      await assert.rejects(
        client.request(methods.ALLOCATE, (request) => request.setAttribute('REQUESTED-TRANSPORT', 17 << 24)),
        (error) => error instanceof TurnRefusal && error.errorCode === 401,
      );
    }
  });
});

async function connect(
  t: TestContext,
  port: number,
  credentials: { readonly username: string; readonly credential: string },
): Promise<TurnClient> {
  const ledger = new ResourceLedger();
  const [server] = splitIceServers([{ urls: [`turn:127.0.0.1:${port}`], ...credentials }]).turnServers;
  assert.ok(server);
  const client = new TurnClient(server, systemClock(ledger), { message: () => undefined, lost: () => undefined });
  t.after(() => client.close(new Error('the test is over')));
  const address = { transport: 'udp', address: '127.0.0.1', host: '127.0.0.1', port, bind: '127.0.0.1' } as const;
  await client.connect((events) =>
    openTurnTransport({ ...address, portRange: undefined, ledger, signal: new AbortController().signal }, events),
  );
  return client;
}

function permission(address: string): (request: Message) => void {
  return (request) => void request.setAttribute('XOR-PEER-ADDRESS', [address, 9]);
}
