/** A connection manager over made-up frames on 127.0.0.1, and the check that it gives everything back. */
import assert from 'node:assert/strict';
import { systemClock, type Clock } from '../../src/base/clock.js';
import type { Logger } from '../../src/base/logger.js';
import { ConnectionManager, type AcceptRequest, type ConnectionOptions, type OpenedViewing } from '../../src/webrtc/index.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { eventually } from '../helpers/deadline.js';
import { FakeGateway, type FakeSource } from './fake-gateway.js';

export interface RigOptions extends Partial<ConnectionOptions> {
  readonly source?: FakeSource;
  /** The sessions' clock; default the machine's. */
  readonly clock?: Clock;
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Keeps every line. */
export function recordingLogger(lines: LogLine[], inherited: object = {}): Logger {
  const keep =
    (level: LogLine['level']) =>
    (fields: object, message: string): void =>
      void lines.push({ level, message, fields: { ...inherited, ...fields } });
  return {
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
    child: (fields) => recordingLogger(lines, { ...inherited, ...fields }),
  };
}

export class Rig {
  readonly ledger = new ResourceLedger();
  readonly lines: LogLine[] = [];
  readonly gateway: FakeGateway;
  readonly manager: ConnectionManager;
  readonly #clock: Clock;
  #mediaTimeMs = 0;

  constructor({ source, clock, ...options }: RigOptions = {}) {
    const used = clock ?? systemClock(this.ledger);
    this.gateway = new FakeGateway({ ...source, clock: used });
    this.manager = new ConnectionManager({
      gateway: this.gateway,
      clock: used,
      logger: recordingLogger(this.lines),
      ledger: this.ledger,
      options: { maxConnections: 10, connectionTimeoutMs: 5000, iceAddresses: ['127.0.0.1'], ...options },
    });
    this.#clock = used;
    this.#begin();
  }

  /** The source stopped, because nobody watched it, and begins from its start. */
  restart(): void {
    this.gateway.restart();
    this.#begin();
  }

  #begin(): void {
    this.#mediaTimeMs = 0;
    this.gateway.timeline.anchor(0, this.#clock.wallClock());
    for (const name of ['raw', 'processed'] as const) this.gateway.writeH264(name, 0, { keyframe: true });
  }

  /** For `WeriftViewer.join`. */
  accept(request: Partial<AcceptRequest> = {}): (sdp: string) => Promise<OpenedViewing> {
    return (sdp) => this.manager.accept({ sdp, door: 'offer', sourceId: 'street', ...request });
  }

  /** Writes the next frames of 33 ms to both renditions. */
  write(frames = 1, options: { keyframe?: boolean; bytes?: number } = {}): void {
    for (let i = 0; i < frames; i++) {
      this.#mediaTimeMs += 33;
      for (const name of ['raw', 'processed'] as const) this.gateway.writeH264(name, this.#mediaTimeMs, options);
    }
  }

  /** The reason with which the newest session ended. */
  async endReason(ms = 5000): Promise<unknown> {
    const line = await eventually(() => this.lines.findLast(({ message }) => message === 'session ended'), ms, 'the session to end');
    return line.fields['reason'];
  }

  /** Closes and checks that nothing is held. */
  async close(): Promise<void> {
    await this.manager.closeAll('server-closing');
    assert.deepEqual(this.ledger.snapshot(), {
      peer_connections: 0,
      udp_sockets: 0,
      tcp_sockets: 0,
      child_processes: 0,
      workers: 0,
      timers: 0,
    });
    assert.equal(this.gateway.leases, 0, 'leases');
    assert.equal(this.gateway.detectionLeases, 0, 'leases of detections');
    assert.equal(this.gateway.snapshotLeases, 0, 'leases of snapshots');
    assert.equal(this.gateway.subscriptions, 0, 'subscriptions');
    assert.equal(this.manager.connections, 0, 'connections');
  }
}
