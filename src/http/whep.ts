/** The door of WHEP players (draft-ietf-wish-whep): one endpoint for each source, and one for each of its renditions. */
import type { FastifyPluginCallback } from 'fastify';
import type { Rendition } from '../media/index.js';
import { checkOffer, type Sessions } from '../webrtc/index.js';
import { installEndpoint, type WishDeps } from './wish.js';

/** What the WHEP endpoints need. */
export interface WhepDeps extends WishDeps {
  /** Accepts a player's offer. */
  readonly sessions: Pick<Sessions, 'accept'>;
}

/** Installs `/whep/:source`, `/whep/:source/raw` and `/whep/:source/processed`. */
export const whepRoutes: FastifyPluginCallback<WhepDeps> = (app, deps, done) => {
  const install = (url: string, operations: string, summary: string, renditions?: readonly Rendition[]): void =>
    installEndpoint(
      app,
      {
        url,
        door: 'whep',
        summary,
        operations,
        action: 'watch',
        open: ({ name: sourceId, sdp, address, rights, atMs }) => {
          checkOffer('WHEP', sdp);
          return deps.sessions.accept({ door: 'whep', address, sdp, sourceId, rights, atMs, ...(renditions && { renditions }) });
        },
      },
      deps,
    );
  install('/whep/:source', 'WhepSession', 'Watch a source as a WHEP player: processed where it has a detector, else raw');
  install('/whep/:source/raw', 'RawWhepSession', 'Watch a source as a WHEP player, as it is', ['raw']);
  install('/whep/:source/processed', 'ProcessedWhepSession', 'Watch a source as a WHEP player, with detected objects drawn in', [
    'processed',
  ]);
  done();
};
