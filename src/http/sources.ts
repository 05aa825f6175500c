/** Sources, to list, add, change and remove while the server runs. What is secret of one is taken and never given back. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type, type TSchema } from 'typebox';
import { sourceNotFound } from '../base/refusals.js';
import { inParam } from './gate.js';
import { whileThere } from './gone-client.js';
import { ErrorSchema, Removed, nullable } from './schemas.js';

/** How a camera is read, without what is secret. */
interface SourceSettings {
  readonly scheme: string;
  readonly lowScheme: string | undefined;
  readonly format: string | undefined;
  readonly options: Readonly<Record<string, string | number | boolean>>;
  readonly hiddenOptions: readonly string[];
  readonly audio: boolean;
  readonly alwaysOn: boolean;
  readonly transcode: 'auto' | 'always';
}

/** A source, as administrators see it. */
export interface ManagedSource {
  /** Its id. */
  readonly name: string;
  /** What is behind it. */
  readonly kind: 'file' | 'live' | 'pull';
  /** Where it comes from. */
  readonly origin: 'sources_file' | 'api' | 'upload' | 'published';
  /** One of SOURCES_FILE that was changed here. */
  readonly isChanged: boolean;
  /** Whether media comes. */
  readonly state: 'empty' | 'live' | 'waiting';
  /** False where it cannot be watched. */
  readonly playable: boolean;
  /** Why not, or why it delivers nothing, in words. */
  readonly reason: string | undefined;
  /** What people call it. */
  readonly title: string | undefined;
  /** What it belongs to. */
  readonly group: string | undefined;
  /** Name of its model, or `none`. */
  readonly model: string;
  /** Whether it is recorded. */
  readonly recording: 'recording' | 'waiting' | 'stopped' | 'off';
  /** Of a camera. */
  readonly settings: SourceSettings | undefined;
}

/** What one stream was found to be. */
interface ProbedStream {
  readonly isReachable: boolean;
  readonly problems: readonly string[];
  readonly cause: string | undefined;
  readonly videoCodec: string | undefined;
  readonly widthPx: number | undefined;
  readonly heightPx: number | undefined;
  readonly fps: number | undefined;
  readonly audioCodec: string | undefined;
  readonly bitrateBps: number | undefined;
  readonly delivery: 'passthrough' | 'transcode' | undefined;
}

/** What a probe found. */
interface ProbeReport extends ProbedStream {
  readonly low: ProbedStream | undefined;
  readonly tookMs: number;
}

/** What the routes of sources need. */
export interface SourcesDeps {
  /** Of a description; for the contract: `add` does the checking, because it tells all faults at once. */
  readonly entrySchema: TSchema;
  /** Likewise, of a change. */
  readonly patchSchema: TSchema;
  /** All sources. */
  readonly list: () => readonly ManagedSource[];
  /** Names of SOURCES_FILE that were removed here. */
  readonly removed: () => readonly string[];
  /** One source; undefined where there is none of that id. */
  readonly get: (sourceId: string) => ManagedSource | undefined;
  /** Adds one and returns its id; throws MediaPeerError. */
  readonly add: (entry: unknown) => Promise<string>;
  /** Changes one; throws MediaPeerError. */
  readonly change: (sourceId: string, patch: unknown) => Promise<void>;
  /** Removes one; throws MediaPeerError. */
  readonly remove: (sourceId: string) => Promise<void>;
  /** As `entrySchema`, of what is to be tried. */
  readonly probeSchema: TSchema;
  /** Calls a camera once; throws MediaPeerError. */
  readonly probe: (entry: unknown, signal: AbortSignal) => Promise<ProbeReport>;
}

const Params = Type.Object({ id: Type.String({ minLength: 1, maxLength: 255, description: 'A source of GET /sources' }) });
const SourceFields = {
  name: Type.String({ description: 'Its id, in all addresses' }),
  kind: Type.Enum(['file', 'live', 'pull'], { description: '`pull`: a camera or a device that this server reads' }),
  origin: Type.Enum(['sources_file', 'api', 'upload', 'published'], { description: 'Where it comes from' }),
  changed: Type.Boolean({ description: 'True for one of SOURCES_FILE that was changed here: what was changed counts' }),
  state: Type.Enum(['empty', 'live', 'waiting']),
  playable: Type.Boolean(),
  reason: Type.Optional(Type.String({ description: 'Why it cannot be watched, or delivers nothing, in words' })),
  title: Type.Optional(Type.String()),
  group: Type.Optional(Type.String()),
  model: Type.String({ description: 'Name of its model, or `none`' }),
  recording: Type.Enum(['recording', 'waiting', 'stopped', 'off'], { description: 'GET /sources/:id/recording says more' }),
  scheme: Type.Optional(Type.String({ description: 'Of the address, which is never told: `rtsp`; of a device its format' })),
  low_scheme: Type.Optional(Type.String({ description: 'Of the second stream' })),
  format: Type.Optional(Type.String()),
  options: Type.Optional(Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]))),
  hidden_options: Type.Optional(Type.Array(Type.String(), { description: 'Names of options whose values are never told' })),
  audio: Type.Optional(Type.Boolean()),
  always_on: Type.Optional(Type.Boolean()),
  transcode: Type.Optional(Type.Enum(['auto', 'always'])),
};
const EXAMPLE = {
  name: 'gate',
  kind: 'pull' as const,
  origin: 'api' as const,
  changed: false,
  state: 'live' as const,
  playable: true,
  title: 'Main gate',
  model: 'sightline-demo',
  recording: 'off' as const,
  scheme: 'rtsp',
  options: { rtsp_transport: 'tcp' },
  hidden_options: [],
  audio: true,
  always_on: false,
  transcode: 'auto' as const,
};
const Source = Type.Object(SourceFields, {
  title: 'ManagedSource',
  description: 'A source, as administrators see it',
  examples: [EXAMPLE],
});
const Sources = Type.Object(
  {
    sources: Type.Array(Type.Object(SourceFields)),
    removed: Type.Array(Type.String(), { description: 'Names of SOURCES_FILE that were removed here' }),
  },
  { title: 'ManagedSources', description: 'All sources', examples: [{ sources: [EXAMPLE], removed: [] }] },
);

const ProbedFields = {
  reachable: Type.Boolean({ description: 'False where nothing could be had of it; `problems` says why' }),
  problems: Type.Array(Type.String(), { description: 'In words: why not, why it is encoded, why it is not heard' }),
  cause: nullable(
    Type.String(),
    '`refused` (nothing listens there), `login`, `forbidden`, `no_stream`, `busy`, `session`, `transport`, `host_unknown`, `no_route`, `closed`, `tls`, `timeout`, `not_allowed`, `not_understood` or `camera_error`; null where it is reachable, or why is not known',
  ),
  video_codec: nullable(Type.String()),
  width: nullable(Type.Integer()),
  height: nullable(Type.Integer()),
  fps: nullable(Type.Number({ description: 'As the camera says, or a guess' })),
  audio_codec: nullable(Type.String()),
  bitrate_bps: nullable(Type.Integer({ description: 'As the camera says' })),
  delivery: nullable(Type.Enum(['passthrough', 'transcode'], { description: 'Copied as it comes, or encoded; null: it cannot be played' })),
};
const Probed = Type.Object(
  { ...ProbedFields, low: nullable(Type.Object(ProbedFields, { description: 'The second stream' })), took_ms: Type.Integer() },
  {
    title: 'ProbedSource',
    description: 'What a camera sends',
    examples: [
      {
        reachable: true,
        problems: ['it has B-frames, which browsers cannot play over WebRTC'],
        cause: null,
        video_codec: 'h264',
        width: 1920,
        height: 1080,
        fps: 25,
        audio_codec: 'aac',
        bitrate_bps: null,
        delivery: 'transcode',
        low: null,
        took_ms: 812,
      },
    ],
  },
);

/** The framework would tell one fault at a time, and drop what it does not know. */
const validatorCompiler = () => (): boolean => true;

/** `/sources` and `/sources/:id`. */
export const sourceRoutes: FastifyPluginCallbackTypebox<SourcesDeps> = (app, deps, done) => {
  const known = (sourceId: string): ReturnType<typeof sourceJson> => {
    const source = deps.get(sourceId);
    if (!source) throw sourceNotFound(sourceId);
    return sourceJson(source);
  };
  const schema = (operationId: string, summary: string) => ({ operationId, summary, tags: ['sources'] });
  const errors = { '4xx': ErrorSchema, '5xx': ErrorSchema };
  const ofOne = { action: 'admin', sourceOf: inParam('id') } as const;

  app.get(
    '/sources',
    {
      config: { action: 'admin' },
      schema: { ...schema('listManagedSources', 'All sources, where they come from and how they are read'), response: { 200: Sources } },
    },
    () => ({ sources: deps.list().map(sourceJson), removed: [...deps.removed()] }),
  );

  app.post(
    '/sources',
    {
      config: { action: 'admin', added: ({ body }) => (body as { readonly name: string }).name },
      schema: {
        ...schema('addSource', 'Add a camera; it can be watched at once, and is there after a restart'),
        body: Type.Unsafe<unknown>(deps.entrySchema),
        response: { 201: Source, ...errors },
      },
      validatorCompiler,
    },
    async (request, reply) => {
      const sourceId = await deps.add(request.body);
      return reply
        .status(201)
        .header('location', `/sources/${encodeURIComponent(sourceId)}`)
        .send(known(sourceId));
    },
  );

  app.post(
    '/sources/probe',
    {
      config: { action: 'admin' },
      schema: {
        ...schema('probeSource', 'Call a camera once and tell what it sends; one at a time, three a minute and host'),
        body: Type.Unsafe<unknown>(deps.probeSchema),
        response: { 200: Probed, ...errors },
      },
      validatorCompiler,
    },
    (request, reply) => whileThere(reply, async (signal) => probedJson(await deps.probe(request.body, signal))),
  );

  app.get(
    '/sources/:id',
    { config: ofOne, schema: { ...schema('readSource', 'One source'), params: Params, response: { 200: Source, ...errors } } },
    (request) => known(request.params.id),
  );

  app.patch(
    '/sources/:id',
    {
      config: ofOne,
      schema: {
        ...schema('changeSource', 'Change a source (JSON merge patch: null removes a field); viewers stay connected'),
        params: Params,
        body: Type.Unsafe<unknown>(deps.patchSchema),
        response: { 200: Source, ...errors },
      },
      validatorCompiler,
    },
    async (request) => {
      await deps.change(request.params.id, request.body);
      return known(request.params.id);
    },
  );

  app.delete(
    '/sources/:id',
    {
      config: ofOne,
      schema: {
        ...schema('removeSource', 'Remove a camera, for everybody who watches it'),
        params: Params,
        response: { 200: Removed, ...errors },
      },
    },
    async (request) => {
      await deps.remove(request.params.id);
      return { removed: true };
    },
  );
  done();
};

function sourceJson({ isChanged, reason, title, group, settings, ...source }: ManagedSource) {
  return {
    ...source,
    changed: isChanged,
    ...(reason !== undefined && { reason }),
    ...(title !== undefined && { title }),
    ...(group !== undefined && { group }),
    ...(settings && settingsJson(settings)),
  };
}

function settingsJson({ scheme, lowScheme, format, options, hiddenOptions, audio, alwaysOn, transcode }: SourceSettings) {
  return {
    scheme,
    ...(lowScheme !== undefined && { low_scheme: lowScheme }),
    ...(format !== undefined && { format }),
    options: { ...options },
    hidden_options: [...hiddenOptions],
    audio,
    always_on: alwaysOn,
    transcode,
  };
}

function probedJson({ low, tookMs, ...main }: ProbeReport) {
  return { ...streamJson(main), low: low ? streamJson(low) : null, took_ms: tookMs };
}

function streamJson(stream: ProbedStream) {
  return {
    reachable: stream.isReachable,
    problems: [...stream.problems],
    cause: stream.cause ?? null,
    video_codec: stream.videoCodec ?? null,
    width: stream.widthPx ?? null,
    height: stream.heightPx ?? null,
    fps: stream.fps ?? null,
    audio_codec: stream.audioCodec ?? null,
    bitrate_bps: stream.bitrateBps ?? null,
    delivery: stream.delivery ?? null,
  };
}
