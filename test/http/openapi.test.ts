import assert from 'node:assert/strict';
import { Validator } from '@seriousme/openapi-schema-validator';
import { before, describe, it } from 'node:test';
import { Compile } from 'typebox/schema';
import { DetectionsMessage } from '../../src/http/detections-schema.js';
import { writeDetections, type FrameDetections } from '../../src/media/index.js';
import { testApp } from '../helpers/app.js';
import { routesOf } from '../helpers/routes.js';

interface Media {
  readonly schema: object;
  readonly example?: unknown;
}
interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema?: { readonly default?: unknown } }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Readonly<Record<string, Media>> }>>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>>; readonly securitySchemes: Readonly<Record<string, object>> };
}

/** Routes that the document leaves out on purpose: itself, what shows it, the files of the pages, preflights of any URL. */
const HIDDEN = /^(\/openapi\.json|\/docs(\/.*)?|\/?\*)$/;
/** Answers without JSON, or without content. */
const isJson = (type: string): boolean => type === 'application/json';

let document: Document;
let routes: { readonly method: string; readonly url: string }[];

before(async () => {
  const app = await testApp();
  const response = await app.inject('/openapi.json');
  document = response.json<Document>();
  routes = routesOf(app);
  await app.close();
});

const operations = (): { readonly name: string; readonly operation: Operation }[] =>
  Object.entries(document.paths).flatMap(([url, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${url}`, operation })),
  );

/** What a reference to a component refers to. */
function componentOf(schema: object): { readonly examples?: readonly unknown[] } {
  const name = String((schema as { readonly $ref?: unknown }).$ref).replace('#/components/schemas/', '');
  return document.components.schemas[name] ?? {};
}

/** Checks a value against a schema of the document, references included. */
function faults(schema: object, value: unknown): unknown[] {
  const text = JSON.stringify({ ...schema, $defs: document.components.schemas }).replaceAll('#/components/schemas/', '#/$defs/');
  const [isValid, errors] = Compile(JSON.parse(text) as object).Errors(value);
  return isValid ? [] : [...errors];
}

describe('/openapi.json', () => {
  it('is a valid OpenAPI 3.1 document', async () => {
    assert.equal(document.openapi, '3.1.0');
    const { valid, errors } = await new Validator().validate(structuredClone(document) as never);
    assert.ok(valid, JSON.stringify(errors));
  });

  it('has every route of the server but those that are left out on purpose', () => {
    const documented = new Set(operations().map(({ name }) => name));
    const missing = routes
      .map(({ method, url }) => ({ method, url: url.replace(/(?<=.)\/$/, '') }))
      .filter(({ url }) => !HIDDEN.test(url))
      .map(({ method, url }) => `${method} ${url.replace(/:(\w+)/g, '{$1}')}`)
      // Fastify answers HEAD of every GET by itself; only those that have a meaning of their own are in the document.
      .filter((name) => !documented.has(name) && !(name.startsWith('HEAD ') && documented.has(name.replace('HEAD', 'GET'))));
    assert.deepEqual([...new Set(missing)], []);
    assert.ok(documented.size > 40);
  });

  it('names every operation once, and says what it does', () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    assert.equal(new Set(ids).size, ids.length);
    for (const { name, operation } of operations()) {
      assert.match(operation.operationId ?? '', /^[a-z][A-Za-z]+(-head)?$/, name);
      assert.ok((operation.summary ?? '').length > 3, name);
      assert.equal(operation.tags?.length, 1, name);
      for (const { description } of Object.values(operation.responses)) assert.notEqual(description, 'Default Response', name);
    }
  });

  it('has the shape of errors once, and every operation refers to it', () => {
    for (const { name, operation } of operations()) {
      assert.deepEqual(operation.responses['5XX']?.content?.['application/json']?.schema, { $ref: '#/components/schemas/Error' }, name);
      const refusal = operation.responses['4XX'];
      if (refusal) assert.deepEqual(refusal.content?.['application/json']?.schema, { $ref: '#/components/schemas/Error' }, name);
    }
    const inline = JSON.stringify(document.paths).match(/"statusCode":\{/g);
    assert.equal(inline, null);
  });

  it('shares the schema of every JSON body and answer', () => {
    for (const { name, operation } of operations()) {
      const contents = [operation.requestBody, ...Object.values(operation.responses)].flatMap((part) =>
        Object.entries(part?.content ?? {}),
      );
      for (const [, { schema }] of contents.filter(([type]) => isJson(type))) assert.ok('$ref' in schema, name);
    }
  });

  it('gives every JSON body and answer an example that its schema allows', () => {
    for (const { name, operation } of operations()) {
      const contents = [operation.requestBody, ...Object.values(operation.responses)].flatMap((part) =>
        Object.entries(part?.content ?? {}),
      );
      for (const [, { schema, example }] of contents.filter(([type]) => isJson(type))) {
        const shown = example ?? componentOf(schema).examples?.[0];
        assert.notEqual(shown, undefined, name);
        assert.deepEqual(faults(schema, shown), [], name);
      }
    }
  });

  it('says which operations take a token, by schemes that it declares', () => {
    const schemes = Object.keys(document.components.securitySchemes);
    const used = operations().flatMap(({ operation }) => (operation.security ?? []).flatMap((alternative) => Object.keys(alternative)));
    assert.deepEqual([...new Set(used)].sort(), [...schemes].sort());
    const guarded = operations()
      .filter(({ operation }) => operation.security)
      .map(({ name }) => name);
    for (const name of [
      'POST /offer',
      'POST /whep/{source}',
      'POST /whip/{room}',
      'GET /detections/{source}',
      'GET /snapshot/{file}',
      'GET /ice-servers',
    ])
      assert.ok(guarded.includes(name), name);
  });
});

it('the documented detections message is what is written', () => {
  const detections: FrameDetections = {
    sourceId: 'demo',
    frame: 12,
    mediaTimeMs: 400,
    widthPx: 1280,
    heightPx: 720,
    inferenceMs: 4.123,
    objects: [{ objectId: 7, label: 'car', classId: 1, score: 0.9, box: [1, 2, 3, 4], velocity: [0, 0], isObserved: true }],
    scene: {
      zones: [{ id: 'gate', objectIds: [7], byLabel: { car: 1 } }],
      lines: [{ id: 'road', in: 1, out: 0, inByLabel: { car: 1 }, outByLabel: {} }],
      events: [{ type: 'leave', id: 'gate', objectId: 7, label: 'car', classId: 1, score: 0.9, position: [1, 2], dwellMs: 1500 }],
    },
  };
  const [event] = detections.scene!.events;
  const text = writeDetections(detections, {
    rtpTimestamps: { raw: 1 },
    dropped: 2,
    missedEvents: [{ ...event!, type: 'cross', direction: 'in', frame: 3 }],
    warning: 'the model knows no such class',
  });
  // Closed, so that a member that is not documented is a fault.
  const closed = JSON.parse(JSON.stringify(DetectionsMessage), (_name, value: unknown) =>
    typeof value === 'object' && value !== null && 'properties' in value ? { ...value, additionalProperties: false } : value,
  ) as object;
  const [isValid, errors] = Compile(closed).Errors(JSON.parse(text));
  assert.ok(isValid, JSON.stringify(errors));
});
