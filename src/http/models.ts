/** Which models there are, which are in use, and `PUT` to let another one look at a source while it runs. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { sourceNotFound } from '../base/refusals.js';
import { inParam } from './gate.js';
import { ErrorSchema, nullable } from './schemas.js';

/** A model as it is used. */
interface ModelInUse {
  /** Name of the model, its file without `.onnx`. */
  readonly name: string;
  /** Family of the network, such as `yolov8`. */
  readonly family: string;
  /** `ready`, `restarting` or `closed`. */
  readonly state: string;
  /** How often its worker was started again after it had failed. */
  readonly restarts: number;
  /** How long a picture takes, averaged over the last ones; undefined before the first. */
  readonly averageMs: number | undefined;
}

/** What the routes of models need. */
export interface ModelDeps {
  /** Names of the models in the models folder. */
  readonly available: () => readonly string[];
  /** Models that are loaded, each once. */
  readonly inUse: () => readonly ModelInUse[];
  /** Name of the model that looks at a source, `none`, or undefined where there is no such source. */
  readonly modelOf: (sourceId: string) => string | undefined;
  /** What the model that looks at a source knows; undefined where none does. */
  readonly labelsOf: (sourceId: string) => readonly string[] | undefined;
  /** Lets the model of that name look at the source; throws MediaPeerError. */
  readonly assign: (sourceId: string, name: string) => Promise<void>;
}

const SourceParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 255 }) });
const ModelBody = Type.Object(
  { model: Type.String({ pattern: '^[^/\\\\]{1,255}$', description: 'A model of GET /models, or `none`' }) },
  { title: 'SourceModel', description: 'The model of the source', examples: [{ model: 'sightline-demo' }] },
);
const ChosenModel = Type.Object(
  {
    ...ModelBody.properties,
    labels: Type.Array(Type.String(), { description: 'What it knows, by class id; nothing of `none`' }),
  },
  {
    title: 'ChosenModel',
    description: 'The model of the source',
    examples: [{ model: 'sightline-demo', labels: ['person', 'car', 'drone'] }],
  },
);
const Models = Type.Object(
  {
    available: Type.Array(Type.String(), { description: 'Names of the installed models' }),
    in_use: Type.Array(
      Type.Object({
        name: Type.String(),
        family: Type.String({ description: 'How its tensors are read' }),
        state: Type.String({ description: 'ready, restarting or closed' }),
        restarts: Type.Integer({ description: 'How often its thread was replaced' }),
        inference_ms: nullable(Type.Number(), 'How long a picture takes, averaged over the last ones; null before the first'),
      }),
    ),
  },
  {
    title: 'Models',
    description: 'Installed models and those in use',
    examples: [
      {
        available: ['sightline-demo', 'yolox_nano'],
        in_use: [{ name: 'sightline-demo', family: 'yolox', state: 'ready', restarts: 0, inference_ms: 2.1 }],
      },
    ],
  },
);

/** `GET /models`, and `GET` and `PUT` of the model of a source. */
export const modelRoutes: FastifyPluginCallbackTypebox<ModelDeps> = (app, deps, done) => {
  const known = (sourceId: string): { readonly model: string; readonly labels: string[] } => {
    const model = deps.modelOf(sourceId);
    if (model === undefined) throw sourceNotFound(sourceId);
    return { model, labels: [...(deps.labelsOf(sourceId) ?? [])] };
  };

  app.get(
    '/models',
    {
      config: { action: 'admin' },
      schema: {
        operationId: 'listModels',
        summary: 'Installed models, and those in use',
        tags: ['detection'],
        response: { 200: Models },
      },
    },
    () => ({
      available: [...deps.available()],
      in_use: deps.inUse().map(({ name, family, state, restarts, averageMs }) => ({
        name,
        family,
        state,
        restarts,
        inference_ms: averageMs === undefined ? null : Math.round(averageMs * 10) / 10,
      })),
    }),
  );

  app.get(
    '/sources/:id/model',
    {
      config: { action: 'admin', sourceOf: inParam('id') },
      schema: {
        operationId: 'readSourceModel',
        summary: 'The model of a source, and what it knows',
        tags: ['detection'],
        params: SourceParams,
        response: { 200: ChosenModel, '4xx': ErrorSchema },
      },
    },
    (request) => known(request.params.id),
  );

  app.put(
    '/sources/:id/model',
    {
      config: { action: 'admin', sourceOf: inParam('id') },
      schema: {
        operationId: 'setSourceModel',
        summary: 'Change the model of a source; viewers stay connected',
        tags: ['detection'],
        params: SourceParams,
        body: ModelBody,
        response: { 200: ChosenModel, '4xx': ErrorSchema },
      },
    },
    async (request) => {
      known(request.params.id);
      await deps.assign(request.params.id, request.body.model);
      return known(request.params.id);
    },
  );
  done();
};
