/** The door of WHIP publishers (RFC 9725): what they send to a room is a source of that name. */
import type { FastifyPluginCallback } from 'fastify';
import { checkOffer, type Sessions } from '../webrtc/index.js';
import { installEndpoint, type WishDeps } from './wish.js';

/** What the WHIP endpoint needs. */
export interface WhipDeps extends WishDeps {
  /** Accepts a publisher's offer. */
  readonly sessions: Pick<Sessions, 'publish'>;
  /** Lets a publisher that shows the room's token take the room over. */
  readonly mayTakeOver: boolean;
}

/** Installs `/whip/:room`. */
export const whipRoutes: FastifyPluginCallback<WhipDeps> = (app, deps, done) => {
  installEndpoint(
    app,
    {
      url: '/whip/:room',
      door: 'whip',
      summary: 'Publish to a room as a WHIP client',
      operations: 'WhipSession',
      action: 'publish',
      open: ({ name: room, sdp, address, hasCredentials, replaces }) => {
        checkOffer('WHIP', sdp);
        const isSame = replaces !== undefined && deps.httpSessions.publishes(replaces, room);
        return deps.sessions.publish({
          door: 'whip',
          address,
          sdp,
          room,
          takeover: isSame || (hasCredentials && deps.mayTakeOver),
        });
      },
    },
    deps,
  );
  done();
};
