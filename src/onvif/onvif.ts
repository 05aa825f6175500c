/**
 * Cameras as they describe themselves, for whoever is about to add one. Cameras lock accounts after a few wrong passwords: one
 * question at a time, and three a minute for a host.
 */
import type { Clock } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import type { RecentCalls } from '../base/recent-calls.js';
import type { ResourceLedger } from '../base/resources.js';
import { discover, DISCOVERY_PORT, type DiscoveredDevice } from './discovery.js';
import { readProfiles, suggestStreams, type OnvifProfile } from './profiles.js';
import { askedTooOften, onvifFailed } from './refusals.js';

/** A camera, and who asks it. */
export interface ProfilesRequest {
  /** `http://10.0.0.5/onvif/device_service`, or `10.0.0.5`, with a port or without. */
  readonly address: string;
  /** Empty: nobody. */
  readonly user: string;
  /** In clear. */
  readonly password: string;
}

/** What a camera streams. */
export interface OnvifStreams {
  /** The one with most pixels first. */
  readonly profiles: readonly OnvifProfile[];
  /** Address of the best one, for `url` of a source; undefined where there is none. */
  readonly main: string | undefined;
  /** Address of a smaller one, for `low_url`; undefined where there is none. */
  readonly low: string | undefined;
}

const DEADLINE_MS = 20_000;
const BUSY_RETRY_S = 5;

/** What questions need. */
export interface OnvifInit {
  readonly clock: Clock;
  readonly ledger: ResourceLedger;
  /** How often a host may be called, by whatever calls it for somebody who adds a camera. */
  readonly calls: RecentCalls;
}

/** Asks cameras. */
export class Onvif {
  readonly #clock: Clock;
  readonly #ledger: ResourceLedger;
  readonly #stop = new AbortController();
  readonly #calls: RecentCalls;
  #running: Promise<unknown> | undefined;

  constructor({ clock, ledger, calls }: OnvifInit) {
    this.#clock = clock;
    this.#calls = calls;
    this.#ledger = ledger;
  }

  /**
   * Cameras of the networks of this machine, or of those hosts. @param hosts with a port or without; empty: all @param waitMs for answers
   * @throws MediaPeerError BODY_INVALID, TOO_MANY_REQUESTS; the signal's reason
   */
  discover(hosts: readonly string[], waitMs: number, signal: AbortSignal): Promise<readonly DiscoveredDevice[]> {
    const targets = hosts.map((host) => readHost(host));
    return this.#alone((isOver) => discover({ hosts: targets, waitMs, signal: isOver }, this.#clock, this.#ledger), signal);
  }

  /** What a camera streams. @throws MediaPeerError BODY_INVALID, TOO_MANY_REQUESTS, ONVIF_FAILED; the signal's reason */
  profiles({ address, user, password }: ProfilesRequest, signal: AbortSignal): Promise<OnvifStreams> {
    const device = deviceAddress(address);
    return this.#alone(async (isOver) => {
      this.#count(new URL(device).hostname);
      const late = new AbortController();
      const deadline = this.#clock.after(DEADLINE_MS, () => late.abort(onvifFailed(`it did not answer within ${DEADLINE_MS / 1000} s`)));
      try {
        const profiles = await readProfiles(device, { user, password }, AbortSignal.any([isOver, late.signal]));
        return { profiles, ...suggestStreams(profiles) };
      } finally {
        deadline.cancel();
      }
    }, signal);
  }

  /** Gives up what runs; resolves when nothing of it is left. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #alone<T>(ask: (isOver: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#running) throw askedTooOften('somebody else is asking cameras; there is one question at a time', BUSY_RETRY_S);
    const asking = ask(AbortSignal.any([signal, this.#stop.signal]));
    this.#running = asking.catch(() => undefined).finally(() => (this.#running = undefined));
    return asking;
  }

  #count(host: string): void {
    const waitS = this.#calls.count([host.replace(/\.$/, '')]);
    if (waitS !== undefined)
      throw askedTooOften(`this camera was called ${this.#calls.max} times within a minute, and cameras lock accounts`, waitS);
  }
}

/** @throws MediaPeerError BODY_INVALID */
function deviceAddress(address: string): string {
  const url = /^[a-z]+:\/\//i.test(address) ? address : `http://${address}/onvif/device_service`;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.password !== '')
    throw new MediaPeerError(
      'BODY_INVALID',
      'body/address is that of a camera, such as 10.0.0.5, 10.0.0.5:8080 or http://10.0.0.5/onvif/device_service; name and password have members of their own',
    );
  return parsed.href;
}

/** @throws MediaPeerError BODY_INVALID */
function readHost(text: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^([A-Za-z0-9.-]{1,253})(?::(\d{1,5}))?$/.exec(text) ?? [];
  const number = port === undefined ? DISCOVERY_PORT : Number(port);
  if (host === undefined || number < 1 || number > 65_535)
    throw new MediaPeerError('BODY_INVALID', `body/hosts: '${text.slice(0, 80)}' is no host such as 10.0.0.5`);
  return { host, port: number };
}
