/**
 * How long a body may take and how much of unfinished ones is held. Node's own deadline is one for all routes, and counts
 * nothing: 1500 clients that send a byte a second would each keep what they have sent. Here every route has a deadline
 * for the whole body, and all bodies that are being received share one bound; over it, whoever holds most is refused. What a route
 * reads as it comes, and holds nothing of, may take as long as it makes progress.
 */
import type { IncomingMessage } from 'node:http';
import { Transform, type TransformCallback } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import { capacityReached } from '../base/refusals.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a body may take from its header to its last byte. Default 10000 ms. */
    bodyDeadlineMs?: number;
    /** The route reads its body as it comes, however long that takes, until nothing has come for so many ms. Default: it does not. */
    bodyStallMs?: number;
  }
}

/** Bounds on request bodies that are being received. */
export interface BodyLimits {
  readonly clock: Clock;
  /** What a body may take where its route says nothing else. Default 10000 ms. */
  readonly deadlineMs?: number;
  /** Bytes of all bodies that are being received, together. Default 16 MiB. */
  readonly maxHeldBytes?: number;
}

/** An offer comes in one or two packets; a phone with a bad network sends its few kilobytes in this time, too. */
const DEADLINE_MS = 10_000;
/** Thirty-two of the largest offers; thousands of ordinary ones. */
const MAX_HELD_BYTES = 16 * 1024 * 1024;

/** Installs the limits. Before any route. */
export function installBodyLimits(
  app: FastifyInstance,
  { clock, deadlineMs = DEADLINE_MS, maxHeldBytes = MAX_HELD_BYTES }: BodyLimits,
): void {
  const held = new HeldBodies(maxHeldBytes);
  const bodies = new WeakMap<IncomingMessage, ReceivedBody>();

  const watch = (request: FastifyRequest, reply: FastifyReply): void => {
    const { raw } = request;
    const { bodyStallMs, bodyDeadlineMs = deadlineMs } = request.routeOptions.config;
    const expire = (): void => {
      const body = bodies.get(raw);
      // Answered already, and still sending: nobody reads it.
      if (reply.sent || !body) return void raw.socket.destroy();
      const leftMs = bodyStallMs === undefined ? 0 : bodyStallMs - body.idleMs;
      if (leftMs > 0) {
        timer = clock.after(leftMs, expire);
        return;
      }
      reply.header('connection', 'close');
      body.destroy(tooSlow(bodyStallMs, bodyDeadlineMs));
    };
    let timer = clock.after(bodyStallMs ?? bodyDeadlineMs, expire);
    for (const event of ['end', 'close']) raw.once(event, () => timer.cancel());
  };

  app.addHook('onRequest', (request, reply, done) => {
    const { raw } = request;
    if (hasBody(raw)) watch(request, reply);
    done();
  });

  app.addHook('onSend', (_request, reply, payload, done) => {
    // Who is still sending would get a reset instead of the answer, or a proxy's own page: the rest is read until the deadline.
    if (reply.statusCode === 413) reply.removeHeader('connection');
    done(null, payload);
  });

  app.addHook('preParsing', (request, reply, payload, done) => {
    const { raw } = request;
    if (!hasBody(raw)) {
      done(null, payload);
      return;
    }
    const isHeld = request.routeOptions.config.bodyStallMs === undefined;
    const body = new ReceivedBody(clock, isHeld ? held : undefined);
    bodies.set(raw, body);
    // Some routes read no body.
    body.on('error', () => payload.unpipe(body));
    payload.on('error', (error) => body.destroy(error));
    reply.raw.once('close', () => body.destroy());
    // What is left is thrown away, so that the answer can be read.
    body.once('close', () => void payload.unpipe(body).resume());
    done(null, payload.pipe(body));
  });
}

function tooSlow(stallMs: number | undefined, deadlineMs: number): MediaPeerError {
  return new MediaPeerError(
    'REQUEST_TIMEOUT',
    stallMs === undefined
      ? `the body did not arrive within ${deadlineMs / 1000} s; send it at once`
      : `nothing of the body arrived for ${stallMs / 1000} s; what has come is kept, go on with it`,
  );
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** All bodies that are being received. */
class HeldBodies {
  readonly #maxBytes: number;
  readonly #bodies = new Set<ReceivedBody>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  grow(body: ReceivedBody, bytes: number): void {
    this.#bodies.add(body);
    this.#bytes += bytes;
    while (this.#bytes > this.#maxBytes) {
      const largest = [...this.#bodies].reduce((a, b) => (b.heldBytes > a.heldBytes ? b : a));
      this.remove(largest);
      largest.destroy(capacityReached('too many bodies are being received'));
    }
  }

  remove(body: ReceivedBody): void {
    if (this.#bodies.delete(body)) this.#bytes -= body.heldBytes;
  }
}

/** One body on its way to whoever parses it, which holds it until the last byte, or to whoever reads it as it comes. */
class ReceivedBody extends Transform {
  readonly #clock: Clock;
  readonly #held: HeldBodies | undefined;
  #lastMs: number;
  heldBytes = 0;

  constructor(clock: Clock, held: HeldBodies | undefined) {
    super();
    this.#clock = clock;
    this.#held = held;
    this.#lastMs = clock.now();
  }

  /** For how long nothing has come; 0 while something waits for its reader. */
  get idleMs(): number {
    return this.readableLength > 0 ? 0 : this.#clock.now() - this.#lastMs;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#lastMs = this.#clock.now();
    if (this.#held) {
      this.heldBytes += chunk.length;
      this.#held.grow(this, chunk.length);
    }
    if (!this.destroyed) done(null, chunk);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#held?.remove(this);
    done(error);
  }
}
