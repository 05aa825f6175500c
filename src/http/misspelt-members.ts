/**
 * Members of bodies and queries that nearly are known ones. Others pass, as clients of other servers send them; but a slip of the
 * pen would play another source or show all classes, without a word.
 */
import type { FastifyInstance } from 'fastify';
import { MediaPeerError, type ErrorCode } from '../base/errors.js';
import { misspeltMember } from '../base/near-miss.js';

/** Refuses them on every route whose schema lists its members; schemas that refuse all others say so themselves. */
export function refuseMisspeltMembers(app: FastifyInstance): void {
  app.addHook('preValidation', (request, _reply, done) => {
    const { body, querystring } = request.routeOptions.schema ?? {};
    check(request.body, body, 'BODY_INVALID', 'member');
    check(request.query, querystring, 'QUERY_INVALID', 'query parameter');
    done();
  });
}

function check(value: unknown, schema: unknown, code: ErrorCode, what: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !isObjectSchema(schema)) return;
  const found = misspeltMember(value, Object.keys(schema.properties));
  if (found) throw new MediaPeerError(code, `there is no ${what} '${found.name}': did you mean '${found.meant}'?`);
}

function isObjectSchema(schema: unknown): schema is { readonly properties: object } {
  if (typeof schema !== 'object' || schema === null || !('properties' in schema)) return false;
  return !('additionalProperties' in schema && schema.additionalProperties === false);
}
