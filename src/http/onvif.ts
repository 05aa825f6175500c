/** ONVIF cameras: which there are, and what they stream; for a form that adds one. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { whileThere } from './gone-client.js';
import { ErrorSchema, nullable } from './schemas.js';

/** A stream of a camera. */
interface Profile {
  readonly name: string;
  readonly token: string;
  readonly url: string;
  readonly codec: string | undefined;
  readonly widthPx: number | undefined;
  readonly heightPx: number | undefined;
  readonly fps: number | undefined;
  readonly bitrateBps: number | undefined;
}

/** What the routes of ONVIF need. */
export interface OnvifDeps {
  /** Cameras that answer within so many ms; throws MediaPeerError. */
  readonly discover: (
    hosts: readonly string[],
    waitMs: number,
    signal: AbortSignal,
  ) => Promise<readonly { readonly address: string; readonly ip: string; readonly name: string; readonly hardware: string }[]>;
  /** What a camera streams; throws MediaPeerError. */
  readonly profiles: (
    camera: { readonly address: string; readonly user: string; readonly password: string },
    signal: AbortSignal,
  ) => Promise<{ readonly profiles: readonly Profile[]; readonly main: string | undefined; readonly low: string | undefined }>;
}

const DEFAULT_WAIT_MS = 3000;

const DiscoverBody = Type.Object(
  {
    hosts: Type.Optional(
      Type.Array(Type.String({ maxLength: 260 }), {
        maxItems: 64,
        description: 'Hosts that are asked, such as 10.0.0.5; left out: everybody on the networks of this machine (multicast)',
      }),
    ),
    wait_ms: Type.Optional(Type.Integer({ minimum: 200, maximum: 10_000, description: 'How long answers are waited for. Default 3000' })),
  },
  { title: 'OnvifDiscovery', description: 'Who is asked', examples: [{ wait_ms: 3000 }] },
);
const Devices = Type.Object(
  {
    devices: Type.Array(
      Type.Object({
        address: Type.String({ description: 'For POST /sources/onvif' }),
        ip: Type.String({ description: 'Where the answer came from' }),
        name: Type.String(),
        hardware: Type.String(),
      }),
    ),
  },
  {
    title: 'OnvifDevices',
    description: 'Cameras that answered; their names are what they say of themselves',
    examples: [{ devices: [{ address: 'http://10.0.0.5/onvif/device_service', ip: '10.0.0.5', name: 'Gate', hardware: 'IPC-1' }] }],
  },
);
const Text = (description: string) => Type.String({ maxLength: 300, description });
const ProfilesBody = Type.Object(
  {
    address: Type.String({ minLength: 1, maxLength: 300, description: 'A host, or the address of its device service' }),
    user: Type.Optional(Text('Left out: nobody')),
    password: Type.Optional(Text('Its digest is sent, and it is kept nowhere')),
  },
  {
    title: 'OnvifCamera',
    description: 'A camera, and who asks it',
    examples: [{ address: '10.0.0.5', user: 'viewer', password: 'secret' }],
  },
);
const Profiles = Type.Object(
  {
    url: nullable(Type.String(), 'The best stream, for `url` of a source; without credentials'),
    low_url: nullable(Type.String(), 'A smaller one, for `low_url`'),
    profiles: Type.Array(
      Type.Object({
        name: Type.String(),
        token: Type.String(),
        url: Type.String(),
        codec: nullable(Type.String(), 'h264, h265, jpeg'),
        width: nullable(Type.Number()),
        height: nullable(Type.Number()),
        fps: nullable(Type.Number()),
        bitrate_bps: nullable(Type.Number()),
      }),
    ),
  },
  {
    title: 'OnvifProfiles',
    description: 'What a camera streams, as it says, the largest first',
    examples: [
      {
        url: 'rtsp://10.0.0.5/main',
        low_url: null,
        profiles: [
          {
            name: 'main',
            token: 'p0',
            url: 'rtsp://10.0.0.5/main',
            codec: 'h264',
            width: 1920,
            height: 1080,
            fps: 25,
            bitrate_bps: 4_096_000,
          },
        ],
      },
    ],
  },
);

/** `POST /sources/discover` and `POST /sources/onvif` */
export const onvifRoutes: FastifyPluginCallbackTypebox<OnvifDeps> = (app, deps, done) => {
  const errors = { '4xx': ErrorSchema, '5xx': ErrorSchema };
  app.post(
    '/sources/discover',
    {
      config: { action: 'admin' },
      schema: {
        operationId: 'discoverCameras',
        summary: 'Look for ONVIF cameras on the networks of the server; one search at a time',
        tags: ['state'],
        body: DiscoverBody,
        response: { 200: Devices, ...errors },
      },
    },
    async (request, reply) => {
      const { hosts = [], wait_ms: waitMs = DEFAULT_WAIT_MS } = request.body;
      await whileThere(reply, async (signal) => reply.send({ devices: [...(await deps.discover(hosts, waitMs, signal))] }));
      return reply;
    },
  );

  app.post(
    '/sources/onvif',
    {
      config: { action: 'admin' },
      schema: {
        operationId: 'readCameraProfiles',
        summary: 'Ask an ONVIF camera what it streams; one at a time, three a minute and host',
        tags: ['state'],
        body: ProfilesBody,
        response: { 200: Profiles, ...errors },
      },
    },
    async (request, reply) => {
      const { address, user = '', password = '' } = request.body;
      await whileThere(reply, async (signal) => {
        const { profiles, main, low } = await deps.profiles({ address, user, password }, signal);
        return reply.send({ url: main ?? null, low_url: low ?? null, profiles: profiles.map(profileJson) });
      });
      return reply;
    },
  );
  done();
};

function profileJson({ name, token, url, codec, widthPx, heightPx, fps, bitrateBps }: Profile) {
  return {
    name,
    token,
    url,
    codec: codec ?? null,
    width: widthPx ?? null,
    height: heightPx ?? null,
    fps: fps ?? null,
    bitrate_bps: bitrateBps ?? null,
  };
}
