/** A real MQTT broker on 127.0.0.1 for one test, and clients that listen to it. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import mqtt, { type MqttClient } from 'mqtt';
import { eventually, within } from './deadline.js';
import { canConnect, freePort } from './free-port.js';

const EXECUTABLE = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto'].find((file) => existsSync(file));

/** For `it(..., { skip })`: why there is none. */
export const noMosquitto: string | false = EXECUTABLE === undefined ? 'mosquitto is not installed (Debian: mosquitto)' : false;

/** A message as a subscriber gets it. */
export interface Heard {
  readonly topic: string;
  readonly payload: Buffer;
  readonly retain: boolean;
}

export interface MosquittoOptions {
  /** Further lines of its configuration file. */
  readonly lines?: readonly string[] | ((dir: string) => readonly string[]);
  /** Of those who may connect; default: everybody. */
  readonly users?: Readonly<Record<string, string>>;
}

/** A broker with persistence, which can be stopped and started again. */
export class Mosquitto {
  readonly port: number;
  readonly #dir: string;
  readonly #options: MosquittoOptions;
  #child: ChildProcess | undefined;
  #output = '';

  /** Started on a free port, ended after the test. */
  static async start(t: TestContext, options: MosquittoOptions = {}): Promise<Mosquitto> {
    const broker = new Mosquitto(await freePort(), options);
    t.after(async () => {
      await broker.stop('SIGKILL');
      rmSync(broker.#dir, { recursive: true, force: true });
    });
    await broker.start();
    return broker;
  }

  private constructor(port: number, options: MosquittoOptions) {
    this.port = port;
    this.#options = options;
    this.#dir = mkdtempSync(path.join(os.tmpdir(), 'sightline-mosquitto-'));
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** What it wrote so far. */
  get output(): string {
    return this.#output;
  }

  async start(): Promise<void> {
    const { lines = [], users } = this.#options;
    const passwords = path.join(this.#dir, 'passwords');
    if (users && !existsSync(passwords)) {
      writeFileSync(passwords, '', { mode: 0o600 });
      for (const [name, password] of Object.entries(users)) spawnSync('mosquitto_passwd', ['-b', passwords, name, password]);
    }
    const config = [
      `listener ${this.port} 127.0.0.1`,
      'persistence true',
      `persistence_location ${this.#dir}/`,
      // Everything that it has acknowledged for a session that is away.
      'max_queued_messages 0',
      'max_inflight_messages 0',
      ...(users ? ['allow_anonymous false', `password_file ${passwords}`] : ['allow_anonymous true']),
      ...(typeof lines === 'function' ? lines(this.#dir) : lines),
      // Else it gives its rights up, and cannot read what is in this folder.
      'user root',
      '',
    ];
    writeFileSync(path.join(this.#dir, 'mosquitto.conf'), config.join('\n'));
    const child = spawn(EXECUTABLE as string, ['-c', path.join(this.#dir, 'mosquitto.conf'), '-v'], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    child.stdout.on('data', (data) => (this.#output += String(data)));
    child.stderr.on('data', (data) => (this.#output += String(data)));
    await eventually(
      () => {
        if (child.exitCode !== null) throw new Error(`mosquitto ended with ${child.exitCode}: ${this.#output.slice(-2000)}`);
        return canConnect(this.port);
      },
      10_000,
      'mosquitto to listen',
    );
  }

  /** SIGTERM: it keeps what it has. SIGKILL: it does not. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    // It listens before its loop begins, and forgets a signal that comes between the two.
    const again = setInterval(() => child.kill(signal), 1000);
    await within(ended, 10_000, 'mosquitto to end').finally(() => clearInterval(again));
  }

  /** Subscribes, and is subscribed again after each of the broker's starts; its session is kept there meanwhile. Ended after the test. */
  async listen(t: TestContext, topics: string | readonly string[], more: mqtt.IClientOptions = {}): Promise<Listener> {
    const client = mqtt.connect(this.url, {
      clientId: `listener-${Math.random().toString(36).slice(2)}`,
      clean: false,
      reconnectPeriod: 50,
      ...more,
    });
    const listener = new Listener(client);
    t.after(() => client.endAsync(true));
    client.on('error', () => undefined);
    await within(client.subscribeAsync([...(typeof topics === 'string' ? [topics] : topics)], { qos: 1 }), 10_000, 'the subscription');
    return listener;
  }
}

/** What somebody has heard. */
export class Listener {
  readonly client: MqttClient;
  readonly heard: Heard[] = [];

  constructor(client: MqttClient) {
    this.client = client;
    client.on('message', (topic, payload, { retain }) => this.heard.push({ topic, payload, retain }));
  }

  /** The newest payload of a topic as text; undefined: nothing yet. */
  text(topic: string): string | undefined {
    return this.heard.findLast((each) => each.topic === topic)?.payload.toString();
  }

  /** Waits for a message that is wanted. */
  async until(what: string, isWanted: (heard: Heard) => boolean, ms = 10_000): Promise<Heard> {
    return eventually(() => this.heard.find(isWanted), ms, what);
  }
}
