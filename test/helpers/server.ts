/** The whole server in this process, over a folder of its own with the videos a test asks for. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseConfig } from '../../src/config.js';
import { createLoggers } from '../../src/base/loggers.js';
import { startServer, type Server } from '../../src/server.js';
import { copyVideo, type VideoName } from './make-video.js';
import { WeriftViewer, type ViewerOptions } from './werift-viewer.js';

/** The parts of an answer that tests look at. */
export interface Answer {
  readonly sdp: string;
  readonly client_id: string;
  readonly source: string;
  readonly tracks: readonly string[];
  readonly session_url: string;
}

/** A viewer with the answer that it got. */
export type JoinedViewer = WeriftViewer & { readonly answer: Answer };

/** What a refused offer is answered with. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly retryAfter: string | null,
  ) {
    super(message);
  }
}

export class TestServer {
  readonly #server: Server;
  readonly uploadDir: string;
  readonly #viewers: WeriftViewer[] = [];

  readonly #stateDir: string;

  private constructor(server: Server, uploadDir: string, stateDir: string) {
    this.#server = server;
    this.uploadDir = uploadDir;
    this.#stateDir = stateDir;
  }

  /** Detection is off unless `MODEL` says otherwise. Videos are given as `name` or `[name, name in the folder]`. */
  static async start(
    videos: readonly (VideoName | readonly [VideoName, string])[],
    variables: Readonly<Record<string, string>> = {},
  ): Promise<TestServer> {
    const uploadDir = mkdtempSync(path.join(os.tmpdir(), 'sightline-upload-'));
    const stateDir = mkdtempSync(path.join(os.tmpdir(), 'sightline-state-'));
    for (const video of videos) {
      const [name, as] = typeof video === 'string' ? [video, video] : video;
      copyVideo(name, uploadDir, as);
    }
    const config = parseConfig({
      PORT: '0',
      UPLOAD_DIR: uploadDir,
      STATE_DIR: stateDir,
      MODEL: 'none',
      ICE_ADDRESSES: '127.0.0.1',
      LOG_LEVEL: 'silent',
      IDLE_GRACE: '300',
      ...variables,
    });
    try {
      return new TestServer(await startServer(config, createLoggers(config.LOG_LEVEL)), uploadDir, stateDir);
    } catch (error) {
      rmSync(uploadDir, { recursive: true, force: true });
      rmSync(stateDir, { recursive: true, force: true });
      throw error;
    }
  }

  get url(): string {
    return this.#server.url;
  }

  /** What is held now. */
  get resources(): ReturnType<Server['ledger']['snapshot']> {
    return this.#server.ledger.snapshot();
  }

  async get<T>(pathName: string): Promise<T> {
    return (await (await fetch(this.url + pathName)).json()) as T;
  }

  /** Posts an offer. @throws Refusal */
  async offer(sdp: string, body: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    const response = await fetch(`${this.url}/offer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sdp, type: 'offer', ...body }),
    });
    const answer = (await response.json()) as Answer & { code: string; message: string };
    if (!response.ok) throw new Refusal(response.status, answer.code, answer.message, response.headers.get('retry-after'));
    return answer;
  }

  /** Joins a viewer and waits until it is connected. */
  async join(body: Readonly<Record<string, unknown>> = {}, options: ViewerOptions = {}): Promise<JoinedViewer> {
    const viewer = new WeriftViewer(options);
    this.#viewers.push(viewer);
    const answer = await viewer.join((sdp) => this.offer(sdp, body));
    return Object.assign(viewer, { answer });
  }

  /** Leaves as a client does that knows its session URL: werift says nothing when it closes. */
  async leave(...viewers: readonly JoinedViewer[]): Promise<void> {
    await Promise.all(
      viewers.map(async (viewer) => {
        await fetch(this.url + viewer.answer.session_url, { method: 'DELETE' });
        await viewer.close();
      }),
    );
  }

  /** Ends viewers, server and folder. */
  async close(): Promise<void> {
    await Promise.all(this.#viewers.map((viewer) => viewer.close()));
    await this.#server.close();
    rmSync(this.uploadDir, { recursive: true, force: true });
    rmSync(this.#stateDir, { recursive: true, force: true });
  }
}
