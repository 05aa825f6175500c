/** How a source is recorded, to read and to change. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { sourceNotFound } from '../base/refusals.js';
import { DEFAULT_SETTINGS, DETECTIONS_KEPT, RECORDING_MODES, type RecordingSettings } from '../recording/index.js';
import { inParam } from './gate.js';
import { ErrorSchema } from './schemas.js';

/** How a source is recorded, and how that goes. */
export interface RecordingStatus extends RecordingSettings {
  /** `config`: by RECORD; `api`: as it was put here. */
  readonly origin: 'config' | 'api';
  /** `recording`: frames are written; `waiting`: for an event, or for the source; `stopped`: it should be recorded and is not; `off`. */
  readonly state: 'recording' | 'waiting' | 'stopped' | 'off';
  /** Why not, in words. */
  readonly reason: string | undefined;
}

/** What the routes of these settings need. */
export interface RecordingSettingsDeps {
  /** Whether there is a source of this id, playing or not. */
  readonly hasSource: (sourceId: string) => boolean;
  /** As it is now. */
  readonly status: (sourceId: string) => RecordingStatus;
  /** Records it like that from now on, also after a restart; throws MediaPeerError. */
  readonly put: (sourceId: string, settings: RecordingSettings) => Promise<void>;
  /** What RECORD says counts again; throws MediaPeerError. */
  readonly remove: (sourceId: string) => Promise<void>;
}

const Params = Type.Object({ id: Type.String({ minLength: 1, maxLength: 255, description: 'A source of GET /available-videos' }) });
const MODE = { description: '`continuous`; `events`: around what happens at its zones and lines; `off`' };
const PRE = { minimum: 0, maximum: 60, description: 'Of `events`: seconds before each; they wait in memory' };
const POST = { minimum: 1, maximum: 3600, description: 'Of `events`: seconds after each' };
const DETECTIONS = {
  description:
    '`always`: the detector looks for the recording; `when_seen`: what it finds while somebody wants to know is kept; `off`. Left out: `always` where the source has zones, else `when_seen`',
};
const Body = Type.Object(
  {
    mode: Type.Enum([...RECORDING_MODES], MODE),
    pre_s: Type.Optional(Type.Number(PRE)),
    post_s: Type.Optional(Type.Number(POST)),
    detections: Type.Optional(Type.Enum([...DETECTIONS_KEPT], DETECTIONS)),
  },
  {
    title: 'RecordingSettings',
    description: 'How a source is to be recorded',
    examples: [{ mode: 'events', pre_s: 5, post_s: 10, detections: 'always' }],
  },
);
const Status = Type.Object(
  {
    source: Type.String(),
    mode: Type.Enum([...RECORDING_MODES], MODE),
    pre_s: Type.Number(PRE),
    post_s: Type.Number(POST),
    detections: Type.Union([Type.Enum([...DETECTIONS_KEPT]), Type.Null()], { description: 'Null: by whether the source has zones' }),
    origin: Type.Enum(['config', 'api'], { description: '`config`: by RECORD' }),
    state: Type.Enum(['recording', 'waiting', 'stopped', 'off'], {
      description: '`waiting`: for an event, or for the source; `stopped`: it should be recorded and is not',
    }),
    reason: Type.Optional(Type.String({ description: 'Why not, in words' })),
  },
  {
    title: 'RecordingStatus',
    description: 'How a source is recorded',
    examples: [{ source: 'gate', mode: 'continuous', pre_s: 5, post_s: 10, detections: null, origin: 'config', state: 'recording' }],
  },
);

/** `GET`, `PUT` and `DELETE /sources/:id/recording`. */
export const recordingSettingsRoutes: FastifyPluginCallbackTypebox<RecordingSettingsDeps> = (app, deps, done) => {
  const config = { action: 'admin', sourceOf: inParam('id') } as const;
  const described = (operationId: string, summary: string) => ({
    operationId,
    summary,
    tags: ['recordings'],
    params: Params,
    response: { 200: Status, '4xx': ErrorSchema, '5xx': ErrorSchema },
  });
  const statusOf = (sourceId: string) => statusJson(sourceId, deps.status(sourceId));
  const known = (sourceId: string): string => {
    if (!deps.hasSource(sourceId)) throw sourceNotFound(sourceId);
    return sourceId;
  };

  app.get('/sources/:id/recording', { config, schema: described('readRecordingSettings', 'How a source is recorded') }, ({ params }) =>
    statusOf(known(params.id)),
  );

  app.put(
    '/sources/:id/recording',
    { config, schema: { ...described('setRecording', 'Record a source, or not; kept over restarts, and counts over RECORD'), body: Body } },
    async ({ params, body }) => {
      const { mode, pre_s: preS = DEFAULT_SETTINGS.preS, post_s: postS = DEFAULT_SETTINGS.postS, detections } = body;
      await deps.put(known(params.id), { mode, preS, postS, detections });
      return statusOf(params.id);
    },
  );

  app.delete(
    '/sources/:id/recording',
    { config, schema: described('resetRecording', 'Record a source as RECORD says') },
    async ({ params }) => {
      await deps.remove(known(params.id));
      return statusOf(params.id);
    },
  );
  done();
};

function statusJson(sourceId: string, { mode, preS, postS, detections, origin, state, reason }: RecordingStatus) {
  return {
    source: sourceId,
    mode,
    pre_s: preS,
    post_s: postS,
    detections: detections ?? null,
    origin,
    state,
    ...(reason !== undefined && { reason }),
  };
}
