/** Sources as administrators see them: added, changed, tried and removed (docs/sources.md). */
import { pathOf } from './address.js';
import { Polled } from './polled.js';
import { request } from './request.js';

/** A source of `GET /sources`. */
export interface ManagedSource {
  /** Its id. */
  readonly name: string;
  /** A file of the upload folder, a room, or a camera. */
  readonly kind: 'file' | 'live' | 'pull';
  /** Where it comes from. */
  readonly origin: 'sources_file' | 'api' | 'upload' | 'published';
  /** Whether media comes. */
  readonly state: 'empty' | 'live' | 'waiting';
  /** Whether it can be watched. */
  readonly playable: boolean;
  /** Why not, or why nothing comes. */
  readonly reason?: string;
  /** For people. */
  readonly title?: string;
  /** For lists. */
  readonly group?: string;
  /** Name of its model, or `none`. */
  readonly model: string;
  /** Whether it is recorded. */
  readonly recording: 'recording' | 'waiting' | 'stopped' | 'off';
  /** Of the address, which is never told. */
  readonly scheme?: string;
  /** Of the address of the second stream. */
  readonly low_scheme?: string;
  /** Whether it stays connected. */
  readonly always_on?: boolean;
}

/** What is sent of a source; null takes a member away. */
export interface SourceDescription {
  /** Its id. */
  readonly name?: string;
  /** Of the camera, with its credentials. */
  readonly url?: string | null;
  /** Of its second stream. */
  readonly low_url?: string | null;
  /** For people. */
  readonly title?: string | null;
  /** For lists. */
  readonly group?: string | null;
  /** Connected although nobody watches. */
  readonly always_on?: boolean | null;
}

/** What was seen of a stream. */
export interface ProbedStream {
  /** Whether anything came. */
  readonly reachable: boolean;
  /** In the server's words. */
  readonly problems: readonly string[];
  /** Why nothing came, stable. */
  readonly cause: string | null;
  /** Such as `h264`. */
  readonly video_codec: string | null;
  /** Pixels. */
  readonly width: number | null;
  /** Pixels. */
  readonly height: number | null;
  /** A second. */
  readonly fps: number | null;
  /** Null: no sound. */
  readonly audio_codec: string | null;
  /** Copied, or encoded. */
  readonly delivery: 'passthrough' | 'transcode' | null;
}

/** What was seen of a camera. */
export interface Probed extends ProbedStream {
  /** Of its second stream. */
  readonly low: ProbedStream | null;
}

/** A camera that answered. */
export interface FoundCamera {
  /** For its profiles. */
  readonly address: string;
  /** Where it answered from. */
  readonly ip: string;
  /** As it says. */
  readonly name: string;
  /** As it says. */
  readonly hardware: string;
}

const LIST_PERIOD_MS = 4_000;

/** Asked every few seconds while somebody holds it. */
export const managedSources = new Polled<{ readonly sources: readonly ManagedSource[] }>('/sources', LIST_PERIOD_MS);

/** Adds a camera. @throws RequestError */
export async function addSource(body: SourceDescription): Promise<void> {
  await request('/sources', { body });
  await managedSources.refresh();
}

/** Changes one. @throws RequestError */
export async function changeSource(source: string, body: SourceDescription): Promise<void> {
  await request(pathOf('sources', source), { method: 'PATCH', body });
  await managedSources.refresh();
}

/** Removes a camera, or a file with its video. @throws RequestError */
export async function removeSource({ name, kind }: Pick<ManagedSource, 'name' | 'kind'>, file: string): Promise<void> {
  await request(kind === 'file' ? pathOf('uploads', file) : pathOf('sources', name), { method: 'DELETE' });
  await managedSources.refresh();
}

/** Calls a camera once: cameras lock accounts, so only when somebody asks for it. @throws RequestError */
export async function probeSource(body: SourceDescription, signal: AbortSignal): Promise<Probed> {
  return (await request<Probed>('/sources/probe', { body, signal })).body;
}

/** Cameras on the networks of the server. @throws RequestError */
export async function discoverCameras(signal: AbortSignal): Promise<readonly FoundCamera[]> {
  return (await request<{ readonly devices: readonly FoundCamera[] }>('/sources/discover', { body: {}, signal })).body.devices;
}

/** The addresses of a camera's streams, without credentials. @throws RequestError */
export async function streamsOf(
  camera: { readonly address: string; readonly user: string; readonly password: string },
  signal: AbortSignal,
): Promise<{ readonly url: string | null; readonly low_url: string | null }> {
  return (await request<{ readonly url: string | null; readonly low_url: string | null }>('/sources/onvif', { body: camera, signal })).body;
}
