/** Videos of the upload folder: sent, continued after an interruption, replaced and removed. */
import type { Readable } from 'node:stream';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { MediaPeerError } from '../base/errors.js';
import { readContentRange } from './content-range.js';
import { entityTag, matchTag } from './entity-tags.js';
import { letSend } from './expectations.js';
import { whileThere } from './gone-client.js';
import { ErrorSchema, nullable } from './schemas.js';

/** Whether a file is the one that a request means, by its tag; undefined: there must be none. */
type Expectation = ((tag: string) => boolean) | undefined;

/** A file as it is listed. */
interface UploadedFile {
  readonly id: string;
  readonly durationS: number | null;
  readonly widthPx: number | null;
  readonly heightPx: number | null;
  readonly videoCodec: string | null;
  readonly audioCodec: string | null;
  readonly delivery: string;
}

/** What the routes of uploads need. */
export interface UploadsDeps {
  /** Takes bytes of an upload; throws MediaPeerError. */
  readonly put: (request: {
    readonly name: string;
    readonly firstByte: number | undefined;
    readonly lengthBytes: number | undefined;
    readonly totalBytes: number | undefined;
    readonly expected: Expectation;
    readonly openBody: () => Readable | undefined;
  }) => Promise<
    | { readonly isComplete: false; readonly receivedBytes: number; readonly totalBytes: number }
    | {
        readonly isComplete: true;
        readonly isNew: boolean;
        readonly tag: string;
        readonly sizeBytes: number;
        readonly file: UploadedFile | undefined;
      }
  >;
  /** What there is of a file; throws MediaPeerError. */
  readonly status: (name: string) => Promise<{
    readonly receivedBytes: number;
    readonly totalBytes: number | undefined;
    readonly isComplete: boolean;
    readonly tag: string | undefined;
  }>;
  /** Removes a file, and what is on its way; throws MediaPeerError. */
  readonly remove: (name: string, expected: Expectation) => Promise<void>;
}

/** How long nothing of a body may come. */
const STALL_MS = 30_000;
/** A large file is on its way to the disk, and looked into, after its last byte. */
const ANSWER_MS = 600_000;

const Params = Type.Object({ name: Type.String({ minLength: 1, maxLength: 300, description: 'Name of the file, such as street.mp4' }) });
const Uploaded = Type.Object(
  {
    name: Type.String(),
    complete: Type.Boolean({ description: 'False while bytes are lacking' }),
    received_bytes: Type.Integer({ description: 'Where to go on' }),
    size_bytes: Type.Integer({ description: 'Length of the whole file' }),
    source: Type.Optional(Type.String({ description: 'What it is watched by' })),
    duration_s: Type.Optional(nullable(Type.Number(), 'Length in seconds')),
    width: Type.Optional(nullable(Type.Number(), 'Pixels')),
    height: Type.Optional(nullable(Type.Number(), 'Pixels')),
    video_codec: Type.Optional(nullable(Type.String())),
    audio_codec: Type.Optional(nullable(Type.String())),
    delivery: Type.Optional(Type.String({ description: 'passthrough or transcode' })),
  },
  {
    title: 'Upload',
    description: 'What there is of the file; with `source` and what it is once it is complete',
    examples: [
      {
        name: 'street.mp4',
        complete: true,
        received_bytes: 3_804_113,
        size_bytes: 3_804_113,
        source: 'street',
        duration_s: 12,
        width: 1280,
        height: 720,
        video_codec: 'h264',
        audio_codec: 'aac',
        delivery: 'passthrough',
      },
    ],
  },
);
const RemovedUpload = Type.Object(
  { name: Type.String(), removed: Type.Boolean() },
  { title: 'RemovedUpload', description: 'It is gone', examples: [{ name: 'street.mp4', removed: true }] },
);

/** `PUT`, `HEAD` and `DELETE` of a file of the upload folder. */
export const uploadRoutes: FastifyPluginCallbackTypebox<UploadsDeps> = (app, deps, done) => {
  const schema = { tags: ['state'], params: Params };
  const errors = { '4xx': ErrorSchema, '5xx': ErrorSchema };
  // Handed on as it comes; what it is, is found out by looking into it.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload));

  app.put(
    '/uploads/:name',
    {
      config: { action: 'admin', bodyStallMs: STALL_MS },
      schema: {
        ...schema,
        operationId: 'putUpload',
        summary:
          'Send a video: its bytes as they are, all or from where they were interrupted (`Content-Range`). One that is there is replaced where `If-Match` names it',
        response: { 200: Uploaded, 201: Uploaded, 202: Uploaded, ...errors },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      throwIfEncoded(request);
      const upload = {
        name,
        ...readContentRange(request.headers['content-range'], request.headers['content-length']),
        expected: expectationOf(request),
        openBody: () => {
          request.raw.setTimeout(ANSWER_MS);
          letSend(request, reply);
          return request.body as Readable | undefined;
        },
      };
      await whileThere(reply, async () => answer(reply, name, await deps.put(upload)));
      return reply;
    },
  );

  app.head(
    '/uploads/:name',
    {
      config: { action: 'admin', swagger: { exposeHeadRoute: true } } as const,
      schema: {
        ...schema,
        operationId: 'lookUpUpload',
        summary: 'Where an upload is to go on (`Upload-Offset`), or that it is complete (`Upload-Complete: ?1`) and its `ETag`',
        response: { 200: Type.Unsafe<null>({ type: 'null', description: 'In the headers' }), ...errors },
      },
    },
    async (request, reply) => {
      const { receivedBytes, totalBytes, isComplete, tag } = await deps.status(request.params.name);
      reply
        .header('upload-offset', receivedBytes)
        .header('upload-complete', isComplete ? '?1' : '?0')
        .header('cache-control', 'no-store');
      if (totalBytes !== undefined) reply.header('upload-length', totalBytes);
      if (tag !== undefined) reply.header('etag', entityTag(tag));
      return reply.header('content-length', receivedBytes).send(null);
    },
  );

  app.delete(
    '/uploads/:name',
    {
      config: { action: 'admin' },
      schema: {
        ...schema,
        operationId: 'removeUpload',
        summary: 'Remove a file, or what was sent of it; whoever watches it is told that it has ended',
        response: { 200: RemovedUpload, ...errors },
      },
    },
    async (request) => {
      await deps.remove(request.params.name, expectationOf(request));
      return { name: request.params.name, removed: true };
    },
  );
  done();
};

function answer(reply: FastifyReply, name: string, result: Awaited<ReturnType<UploadsDeps['put']>>): FastifyReply {
  if (!result.isComplete) {
    const { receivedBytes, totalBytes } = result;
    reply.code(202).header('upload-offset', receivedBytes);
    return reply.send({ name, complete: false, received_bytes: receivedBytes, size_bytes: totalBytes });
  }
  const { file, tag, isNew, sizeBytes } = result;
  reply.code(isNew ? 201 : 200).header('etag', entityTag(tag));
  return reply.send({ name, complete: true, received_bytes: sizeBytes, size_bytes: sizeBytes, ...(file && fileJson(file)) });
}

function expectationOf({ headers }: FastifyRequest): Expectation {
  const ifMatch = headers['if-match'];
  return ifMatch === undefined || ifMatch.trim() === '' ? undefined : (tag) => matchTag(ifMatch, tag) !== 'other';
}

/** What would be stored as it comes, and is something else then. */
function throwIfEncoded({ headers }: FastifyRequest): void {
  const isForm = headers['content-type']?.trim().toLowerCase().startsWith('multipart/') === true;
  const encoding = headers['content-encoding'] ?? 'identity';
  if (isForm || encoding !== 'identity')
    throw new MediaPeerError(
      'CONTENT_TYPE_UNSUPPORTED',
      `the body is ${isForm ? 'a form' : `encoded (${encoding.slice(0, 40)})`}; send the bytes of the file itself, as curl -T does`,
    );
}

function fileJson({ id, durationS, widthPx, heightPx, videoCodec, audioCodec, delivery }: UploadedFile) {
  return {
    source: id,
    duration_s: durationS,
    width: widthPx,
    height: heightPx,
    video_codec: videoCodec,
    audio_codec: audioCodec,
    delivery,
  };
}
