/** The one place where error codes become HTTP statuses, and every error the shape that Fastify gives its own. */
import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import type { FastifySchemaValidationError } from 'fastify/types/schema.js';
import { MediaPeerError, type ErrorCode, type ErrorFacts, type Fault } from '../base/errors.js';

const STATUS: Record<ErrorCode, number> = {
  CONFIG_INVALID: 500,
  BODY_INVALID: 400,
  QUERY_INVALID: 400,
  SDP_INVALID: 400,
  REQUEST_TIMEOUT: 408,
  SESSION_NOT_FOUND: 404,
  CLIENT_NOT_FOUND: 404,
  SOURCE_NOT_FOUND: 404,
  SOURCE_NOT_PLAYABLE: 422,
  SOURCE_NOT_LIVE: 409,
  SOURCE_INVALID: 422,
  SOURCE_TAKEN: 409,
  SOURCE_NOT_CONFIGURED: 409,
  TOO_MANY_SOURCES: 409,
  ROOM_INVALID: 422,
  ROOM_TAKEN: 409,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  TOO_MANY_REQUESTS: 429,
  CONTENT_TYPE_UNSUPPORTED: 415,
  CANDIDATE_INVALID: 400,
  PRECONDITION_REQUIRED: 428,
  PRECONDITION_FAILED: 412,
  ICE_RESTART_REFUSED: 422,
  NEGOTIATION_STATE: 409,
  ICE_SERVERS_INVALID: 400,
  ICE_SERVERS_REFUSED: 403,
  MESSAGE_INVALID: 400,
  NOT_JOINED: 409,
  ROLE_REFUSED: 403,
  RESUME_REFUSED: 403,
  MESSAGES_TOO_FAST: 429,
  ORIGIN_REFUSED: 403,
  NOTHING_TO_SERVE: 422,
  DETECTION_OFF: 422,
  COMMAND_INVALID: 400,
  COMMAND_UNSUPPORTED: 422,
  COMMANDS_TOO_FAST: 429,
  CHANNEL_REPLACED: 409,
  CAPACITY_REACHED: 503,
  SERVER_STARTING: 503,
  SERVER_CLOSING: 503,
  FORWARD_EXISTS: 409,
  FORWARD_NOT_FOUND: 404,
  WALL_NOT_FOUND: 404,
  TOO_MANY_WALLS: 409,
  RECORDING_NOT_FOUND: 404,
  RECORDING_OUT_OF_RANGE: 416,
  RECORDING_KEPT: 409,
  EVENT_NOT_FOUND: 404,
  STATE_NOT_KEPT: 507,
  STORE_FAILED: 500,
  RECORDING_DAMAGED: 422,
  USER_NOT_FOUND: 404,
  USER_INVALID: 422,
  USER_READ_ONLY: 409,
  LAST_ADMIN: 409,
  ZONES_INVALID: 422,
  ONVIF_FAILED: 502,
  UPLOAD_NOT_FOUND: 404,
  UPLOAD_EXISTS: 409,
  UPLOAD_RUNNING: 409,
  UPLOAD_OFFSET: 409,
  UPLOAD_RANGE_INVALID: 400,
  UPLOAD_TOO_LARGE: 413,
  UPLOAD_NOT_PLAYABLE: 422,
  DISK_FULL: 507,
  CLIP_FORMAT_CHANGES: 422,
  FFMPEG_NOT_FOUND: 500,
  FFMPEG_FAILED: 500,
  MODEL_NOT_FOUND: 404,
  MODEL_INVALID: 422,
  DETECTOR_FAILED: 500,
};

/** What a client gets for any error. */
export interface ErrorBody {
  /** HTTP status, once more. */
  readonly statusCode: number;
  /** Stable; one of those in `docs/errors.md`. */
  readonly code: string;
  /** The phrase of the HTTP status. */
  readonly error: string;
  /** What was wrong, what was expected, and what to do. */
  readonly message: string;
  /** Named facts, where there are any. */
  readonly details?: ErrorFacts;
}

/** The body of an error. @param details named facts for programs */
export function errorBody(statusCode: number, code: string, message: string, details?: ErrorFacts): ErrorBody {
  return { statusCode, code, error: STATUS_CODES[statusCode] ?? 'Error', message, ...(details && { details }) };
}

/** A code for what the HTTP layer itself refuses. */
function codeOf(error: Partial<FastifyError>, status: number): string {
  if (error.validation && (error.validationContext === 'querystring' || error.validationContext === 'params')) return 'QUERY_INVALID';
  if (error.validation || (status === 400 && error.code?.startsWith('FST_ERR_CTP_'))) return 'BODY_INVALID';
  if (status === 429) return 'TOO_MANY_REQUESTS';
  if (status === 413) return 'BODY_TOO_LARGE';
  if (status === 415) return 'CONTENT_TYPE_UNSUPPORTED';
  return 'REQUEST_REFUSED';
}

/** What the schema has against a request, with the values that it allows. */
function messageFor(error: FastifyError, contentType: string | undefined): string {
  if (error.statusCode === 415)
    return `the body has ${contentType === undefined ? 'no content type' : `the content type '${contentType.slice(0, 100)}'`}; send JSON in UTF-8 with Content-Type: application/json`;
  const fault = faultOf(error);
  const allowed = error.validation?.find(({ keyword }) => keyword === 'enum')?.params['allowedValues'];
  const known = fault ? fault.params['allowedValues'] : allowed;
  const message = fault ? `${error.validationContext ?? ''}${fault.instancePath} ${fault.message ?? ''}` : error.message;
  return Array.isArray(known) ? `${message}: ${known.join(', ')}` : message;
}

/** What the schema has against a request, for programs. */
function factsOf({ validation }: FastifyError): ErrorFacts | undefined {
  return validation && { faults: validation.map(faultAt) };
}

/** What is missing is where it should be. */
function faultAt({ instancePath, keyword, params }: FastifySchemaValidationError): Fault {
  const missing = params['missingProperty'];
  return { path: typeof missing === 'string' ? `${instancePath}/${missing}` : instancePath, code: keyword };
}

/** Where a value may have several shapes, what keeps it from the one that it comes nearest to; else undefined. */
function faultOf({ validation }: FastifyError): FastifySchemaValidationError | undefined {
  if (!validation?.some(({ keyword }) => keyword === 'anyOf')) return undefined;
  const weight = ({ keyword, instancePath }: FastifySchemaValidationError): number =>
    instancePath.split('/').length * 10 + ['anyOf', 'type', 'enum', 'required'].indexOf(keyword);
  return validation.reduce((best, each) => (weight(each) > weight(best) ? each : best));
}

/** Requests that fail before anybody has asked who they are of have nobody to be told less. */
async function readableBy({ access }: Partial<Pick<FastifyRequest, 'access'>>, error: MediaPeerError): Promise<MediaPeerError> {
  return access && (error.code === 'SOURCE_NOT_FOUND' || error.code === 'ROOM_TAKEN') ? access.readable(error) : error;
}

/** Answers every error of this server, unknown routes included, in one shape. */
export function installErrorHandling(app: FastifyInstance): void {
  app.setErrorHandler(async (thrown: FastifyError | MediaPeerError, request, reply) => {
    // What a message lists is for those who may know it.
    const error = thrown instanceof MediaPeerError ? await readableBy(request, thrown) : thrown;
    if (error instanceof MediaPeerError) {
      const status = STATUS[error.code];
      if (status === 401) reply.header('www-authenticate', 'Bearer');
      const receivedBytes = error.facts?.['received_bytes'];
      if (typeof receivedBytes === 'number') reply.header('upload-offset', receivedBytes);
      if (error.retryAfterS !== undefined) reply.header('retry-after', Math.ceil(error.retryAfterS));
      if (status >= 500 && status !== 502 && status !== 503 && status !== 507)
        request.log.error({ err: error, details: error.details }, 'request failed');
      return reply.status(status).send(errorBody(status, error.code, error.message, error.facts));
    }
    const status = error.statusCode ?? 500;
    if (status >= 500) {
      request.log.error({ err: error }, 'request failed');
      return reply.status(500).send(errorBody(500, 'INTERNAL_ERROR', 'the server failed to answer; its log says why'));
    }
    const message = messageFor(error, request.headers['content-type']);
    return reply.status(status).send(errorBody(status, codeOf(error, status), message, factsOf(error)));
  });
  app.setNotFoundHandler((request, reply) =>
    reply.status(404).send(errorBody(404, 'ROUTE_NOT_FOUND', `there is no ${request.method} ${request.url}; /docs lists what there is`)),
  );
}
