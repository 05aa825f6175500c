/**
 * Two network namespaces with a cable between them, made by the test and taken away after it: the server lives in
 * one, the client in the other, and the cable can be pulled. Needs root and `ip`.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export const SERVER_ADDRESS = '10.77.0.1';
const CLIENT_ADDRESS = '10.77.0.2';

/** For a test's `skip`: false where namespaces can be made, else the reason. */
export const noNamespaces: string | false = whyNot();

function whyNot(): string | false {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const name = `slprobe${process.pid}`;
  const made = spawnSync('ip', ['netns', 'add', name]);
  if (made.status !== 0) return `network namespaces cannot be made: ${made.error?.message ?? made.stderr.toString().trim()}`;
  spawnSync('ip', ['netns', 'del', name]);
  return false;
}

export class Namespaces {
  readonly server = `slsrv${process.pid}`;
  readonly client = `slcli${process.pid}`;
  readonly #folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-netns-'));

  constructor() {
    const [a, b] = [`sla${process.pid}`, `slb${process.pid}`];
    ip('netns', 'add', this.server);
    ip('netns', 'add', this.client);
    ip('link', 'add', a, 'netns', this.server, 'type', 'veth', 'peer', 'name', b, 'netns', this.client);
    ip('-n', this.server, 'link', 'set', a, 'name', 'eth0');
    ip('-n', this.client, 'link', 'set', b, 'name', 'eth0');
    ip('-n', this.server, 'addr', 'add', `${SERVER_ADDRESS}/24`, 'dev', 'eth0');
    ip('-n', this.client, 'addr', 'add', `${CLIENT_ADDRESS}/24`, 'dev', 'eth0');
    for (const name of [this.server, this.client]) {
      ip('-n', name, 'link', 'set', 'lo', 'up');
      ip('-n', name, 'link', 'set', 'eth0', 'up');
    }
  }

  /** A program that runs `command` in the namespace: for what takes a path to an executable. */
  wrapper(namespace: string, command: string): string {
    const file = path.join(this.#folder, path.basename(command));
    writeFileSync(file, `#!/bin/sh\nexec ip netns exec ${namespace} ${command} "$@"\n`);
    chmodSync(file, 0o755);
    return file;
  }

  /** Nothing passes, and nobody is told: a dead Wi-Fi. */
  block(): void {
    for (const chain of ['INPUT', 'OUTPUT'])
      exec(this.client, 'iptables', '-w', '-I', chain, chain === 'INPUT' ? '-i' : '-o', 'eth0', '-j', 'DROP');
  }

  unblock(): void {
    exec(this.client, 'iptables', '-w', '-F');
  }

  /** Pulls the cable on the server's side: the client sees its carrier go. */
  pull(): void {
    ip('-n', this.server, 'link', 'set', 'eth0', 'down');
  }

  plug(): void {
    ip('-n', this.server, 'link', 'set', 'eth0', 'up');
  }

  close(): void {
    for (const name of [this.server, this.client]) spawnSync('ip', ['netns', 'del', name]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function exec(namespace: string, ...command: string[]): void {
  ip('netns', 'exec', namespace, ...command);
}

function ip(...args: string[]): void {
  const { status, stderr, error } = spawnSync('ip', args);
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${error?.message ?? stderr.toString()}`);
}
