/** Clients, to be sent away by whoever runs the server. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { MediaPeerError } from '../base/errors.js';
import { ErrorSchema } from './schemas.js';

/** What the routes of clients need. */
export interface ClientsDeps {
  /** Ends everything that a client has: its session, and its membership of a room; false where there is none of that id. */
  readonly disconnect: (clientId: string) => Promise<boolean>;
}

const Params = Type.Object({
  client_id: Type.String({ minLength: 1, maxLength: 255, description: 'A `client_id` of GET /connection-stats' }),
});
const Disconnected = Type.Object(
  { client_id: Type.String(), disconnected: Type.Boolean() },
  { title: 'Disconnected', description: 'It is gone', examples: [{ client_id: 'drone-1', disconnected: true }] },
);

/** `DELETE /clients/:client_id` */
export const clientRoutes: FastifyPluginCallbackTypebox<ClientsDeps> = (app, { disconnect }, done) => {
  app.delete(
    '/clients/:client_id',
    {
      config: { action: 'admin' },
      schema: {
        operationId: 'disconnectClient',
        summary: 'End what a client watches or publishes; it is told `removed`, and may come back as long as it has the right to',
        tags: ['state'],
        params: Params,
        response: { 200: Disconnected, '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
    },
    async ({ params: { client_id: clientId } }) => {
      if (!(await disconnect(clientId)))
        throw new MediaPeerError(
          'CLIENT_NOT_FOUND',
          `no client '${clientId.slice(0, 80)}' is connected; GET /connection-stats lists those that are`,
        );
      return { client_id: clientId, disconnected: true };
    },
  );
  done();
};
