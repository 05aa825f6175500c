/**
 * Requests that never reach a route: bytes that are not HTTP, headers that are too long or come too slowly, addresses that
 * cannot be decoded. They are answered in the shape of every other error.
 */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyBaseLogger, FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { errorBody } from './http-errors.js';

/** By code of Node's parser, what is answered. Any other code: the bytes are not HTTP. */
const ANSWERS: Readonly<Record<string, ReturnType<typeof errorBody>>> = {
  ERR_HTTP_REQUEST_TIMEOUT: errorBody(408, 'REQUEST_TIMEOUT', 'the header of the request did not arrive in time'),
  HPE_HEADER_OVERFLOW: errorBody(431, 'REQUEST_REFUSED', 'the header of the request is longer than 16 KiB'),
};
const NOT_HTTP = errorBody(400, 'REQUEST_REFUSED', 'the request is not well-formed HTTP/1.1');

/** Answers what the router refuses before it looks for a route. */
export function answerRouterError(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  const status = error.statusCode ?? 400;
  void reply.status(status).send(errorBody(status, 'REQUEST_REFUSED', error.message));
}

/** Answers what Node cannot parse, and ends the connection. */
export function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket, log: FastifyBaseLogger): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  // The error holds the bytes of the request, and so what is secret in it.
  log.debug({ code: error.code }, 'a request could not be read');
  const answer = ANSWERS[error.code ?? ''] ?? NOT_HTTP;
  const body = JSON.stringify(answer);
  const head = `HTTP/1.1 ${answer.statusCode} ${STATUS_CODES[answer.statusCode] ?? ''}`;
  if (socket.writable) {
    socket.write(
      `${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroy(error);
}
