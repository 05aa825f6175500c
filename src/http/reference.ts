/**
 * The API reference: `/openapi.json` (OpenAPI 3.1), and `/docs` to browse it. Made of the schemas that the routes check
 * requests and write answers with. A schema with a title is a component: it stands in the document once, by that name.
 */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyContextConfig, FastifyInstance } from 'fastify';
import assert from 'node:assert/strict';
import type { Static } from 'typebox';
import { ErrorSchema } from './schemas.js';

const DESCRIPTION =
  'A WebRTC media peer with object detection: recorded videos, cameras and live publishers to any WebRTC client, ' +
  'unchanged, with detected objects drawn in, and with the detections as data.';

const SECURITY_SCHEMES = {
  bearerToken: { type: 'http', scheme: 'bearer', description: 'A token that gives the right which the operation needs' },
  loginCookie: {
    type: 'apiKey',
    in: 'cookie',
    name: 'sightline_...',
    description: 'The login of a browser (`POST /login`), for pages of this server alone',
  },
  signature: { type: 'apiKey', in: 'query', name: 'signature', description: 'Of `POST /signed-urls`' },
  tokenInQuery: {
    type: 'apiKey',
    in: 'query',
    name: 'token',
    description: 'Deprecated: the same, for pages that cannot send headers',
  },
} as const;

/** What an operation takes. None is needed where nobody is named who may use the server, hence `{}`. */
function securityOf({ action, takesTokenInQuery }: FastifyContextConfig): object {
  if (action === undefined || action === 'public') return {};
  const inQuery = takesTokenInQuery ? [{ signature: [] }, { tokenInQuery: [] }] : [];
  return { security: [{}, { bearerToken: [] }, { loginCookie: [] }, ...inQuery] };
}

/** The right that an operation needs, as people read it. */
function rightOf({ action = 'public' }: FastifyContextConfig): object {
  return { 'x-action': action };
}

const REFUSAL = errorResponse('The request is refused; `code` says why', {
  statusCode: 404,
  code: 'SOURCE_NOT_FOUND',
  error: 'Not Found',
  message: "no source 'x'; available: demo, street",
});
const FAULT = errorResponse('The server has no capacity (503, with `Retry-After`), or a fault', {
  statusCode: 503,
  code: 'CAPACITY_REACHED',
  error: 'Service Unavailable',
  message: 'all 10 places are taken (MAX_CONNECTIONS); try again in 5 s',
});

/** Installs the reference; before the routes that are to stand in it. @param version of the server */
export async function installReference(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Sightline', version, description: DESCRIPTION, license: { name: 'MIT', identifier: 'MIT' } },
      tags: [
        { name: 'media', description: 'Watching and publishing' },
        { name: 'detection', description: 'Detections, models, zones' },
        { name: 'sources', description: 'Cameras: added, changed and removed' },
        { name: 'state', description: 'Sources, sessions and health' },
        { name: 'access', description: 'Logins and users' },
      ],
      components: { securitySchemes: SECURITY_SCHEMES },
    },
    transform: ({ schema, url, route: { config = {} } }) => ({
      schema: { ...schema, response: withErrors(schema.response, config), ...securityOf(config), ...rightOf(config) },
      url,
    }),
    transformObject: (documents) => ('openapiObject' in documents ? withComponents(documents.openapiObject) : documents.swaggerObject),
  });
  await app.register(swaggerUi, { routePrefix: '/docs' });
  app.get('/openapi.json', { config: { action: 'public' }, schema: { hide: true } }, () => app.swagger());
}

function errorResponse(description: string, example: Static<typeof ErrorSchema>): object {
  return { description, content: { 'application/json': { schema: ErrorSchema, example } } };
}

function withErrors(response: unknown, { action = 'public' }: FastifyContextConfig): object {
  const documented = { ...(response as object | undefined) };
  // Every route may fail for a fault of the server.
  return { ...documented, ...(('4xx' in documented || action !== 'public') && { '4xx': REFUSAL }), '5xx': FAULT };
}

/** The document with each schema that has a title moved to its components. */
function withComponents<D extends { paths?: unknown; components?: object | undefined }>(document: D): D {
  const schemas: Record<string, unknown> = {};
  const paths = moveSchemas(document.paths, schemas);
  return { ...document, paths, components: { ...document.components, schemas } };
}

/** A copy of `value` in which schemas with a title are references; what they refer to is added to `schemas`. */
function moveSchemas(value: unknown, schemas: Record<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((item) => moveSchemas(item, schemas));
  if (typeof value !== 'object' || value === null) return value;
  const moved = Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, name.startsWith('example') ? (member as unknown) : moveSchemas(member, schemas)]),
  );
  const { title } = moved;
  if (typeof title !== 'string') return moved;
  const known = (schemas[title] ??= moved);
  assert.deepEqual(known, moved, `two schemas of the API have the title ${title}`);
  return { $ref: `#/components/schemas/${title}` };
}
