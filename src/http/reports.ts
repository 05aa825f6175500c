/** `GET /sessions/:id/report`: why a session is as it is, or failed; for its owner, who alone knows the id. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { MediaPeerError } from '../base/errors.js';
import { qualityJson, type SessionReport, type Sessions } from '../webrtc/index.js';
import { ErrorSchema, nullable } from './schemas.js';
import { perMinute } from './wish.js';

/** What session reports need. */
export interface ReportDeps {
  /** Where the reports are. */
  readonly sessions: Pick<Sessions, 'report'>;
  /** Requests per minute and address; 0 is no limit. */
  readonly rateLimit: number;
}

const Counts = Type.Record(Type.String(), Type.Integer(), {
  description: 'By type: host, srflx, prflx, relay, mdns (a name that is not looked up), tcp, unusable',
});

const Report = Type.Object(
  {
    client_id: Type.String(),
    source: Type.String(),
    role: Type.String(),
    door: Type.String({ description: 'offer, whep, whip or ws' }),
    created_at: Type.Number({ description: 'Unix seconds' }),
    media: Type.Array(
      Type.Object({
        mid: nullable(Type.String()),
        kind: Type.String(),
        direction: Type.String({ description: "The client's" }),
        offered: Type.Array(Type.String()),
        chosen: nullable(Type.String()),
        reason: nullable(Type.String({ description: 'Why it carries nothing' })),
      }),
    ),
    ice: Type.Object({
      local_candidates: Counts,
      remote_candidates: Counts,
      pairs: Type.Array(Type.Object({ local: Type.String(), remote: Type.String(), state: Type.String() })),
      selected: nullable(Type.String({ description: 'Types of the pair in use: `host/prflx`' })),
      checks_received: Type.Integer({ description: "The client's connectivity checks that were authentic" }),
      restarts: Type.Integer(),
      troubles: Type.Array(Type.String({ description: 'With STUN and TURN servers' })),
    }),
    dtls: Type.Union([Type.Object({ role: Type.String(), srtp_profile: Type.String() }), Type.Null()]),
    quality: Type.Union(
      [
        Type.Object({
          quality: nullable(Type.String({ description: 'What it is sent in, or was at last' })),
          estimate_kbps: nullable(Type.Number({ description: 'What its network carries, as far as is known' })),
          queue_ms: nullable(Type.Number({ description: 'How long packets wait in its network' })),
          switches: Type.Integer({ description: 'How often the quality changed' }),
          switch_reason: nullable(Type.String({ description: 'Why it is that quality' })),
        }),
        Type.Null(),
      ],
      { description: 'Null for a publisher' },
    ),
    steps: Type.Array(
      Type.Object({
        at_ms: Type.Number({ description: 'Since the offer' }),
        step: Type.String(),
        facts: Type.Optional(Type.Unsafe<object>({ type: 'object', additionalProperties: true })),
      }),
    ),
    end: Type.Union([Type.Object({ reason: Type.String(), explanation: Type.String(), at_ms: Type.Number() }), Type.Null()], {
      description: 'Null while it lives',
    }),
  },
  {
    title: 'SessionReport',
    description: 'What the session went through',
    examples: [
      {
        client_id: 'drone-1',
        source: 'demo',
        role: 'viewer',
        door: 'whep',
        created_at: 1795266346.138,
        media: [{ mid: '0', kind: 'video', direction: 'recvonly', offered: ['H264', 'VP8'], chosen: 'H264', reason: null }],
        ice: {
          local_candidates: { host: 1 },
          remote_candidates: { host: 1, mdns: 1 },
          pairs: [{ local: 'host', remote: 'prflx', state: 'succeeded' }],
          selected: 'host/prflx',
          checks_received: 3,
          restarts: 0,
          troubles: [],
        },
        dtls: { role: 'server', srtp_profile: 'AEAD_AES_128_GCM' },
        quality: { quality: '360p', estimate_kbps: 930, queue_ms: 8, switches: 1, switch_reason: 'congestion' },
        steps: [
          { at_ms: 0, step: 'offer' },
          { at_ms: 48.2, step: 'connected' },
        ],
        end: { reason: 'viewer-left', explanation: 'the client closed its connection', at_ms: 20310.4 },
      },
    ],
  },
);

/** Installs `GET /sessions/:id/report`. */
export const reportRoutes: FastifyPluginCallbackTypebox<ReportDeps> = (app, { sessions, rateLimit }, done) => {
  app.get(
    '/sessions/:id/report',
    {
      config: { action: 'session', ...perMinute(rateLimit) },
      schema: {
        operationId: 'readSessionReport',
        summary: 'What a session went through, and why it failed; kept for 10 minutes after its end',
        tags: ['media'],
        params: Type.Object({ id: Type.String({ maxLength: 128, description: 'From `Location` or `session_url`' }) }),
        response: { 200: Report, '4xx': ErrorSchema },
      },
    },
    (request, reply) => {
      const report = sessions.report(request.params.id);
      if (!report) throw new MediaPeerError('SESSION_NOT_FOUND', 'there is no such session, or it ended more than 10 minutes ago');
      void reply.header('cache-control', 'no-store');
      return reportJson(report);
    },
  );
  done();
};

function reportJson({ clientId, sourceId, role, door, createdAtS, mLines, ice, dtls, quality, steps, end }: SessionReport) {
  return {
    client_id: clientId,
    source: sourceId,
    role,
    door,
    created_at: createdAtS,
    media: mLines.map(({ mid, kind, direction, offered, chosen, reason }) => ({
      mid: mid ?? null,
      kind,
      direction,
      offered: [...offered],
      chosen: chosen ?? null,
      reason: reason ?? null,
    })),
    ice: {
      local_candidates: { ...ice.local },
      remote_candidates: { ...ice.remote },
      pairs: ice.pairs.map((pair) => ({ ...pair })),
      selected: ice.selected ?? null,
      checks_received: ice.checksReceived,
      restarts: ice.restarts,
      troubles: [...ice.troubles],
    },
    dtls: dtls ? { role: dtls.role, srtp_profile: dtls.srtpProfile } : null,
    quality: quality ? qualityJson(quality) : null,
    steps: steps.map(({ atMs, step, facts }) => ({ at_ms: atMs, step, ...(facts && { facts }) })),
    end: end ? { reason: end.reason, explanation: end.explanation, at_ms: end.atMs } : null,
  };
}
