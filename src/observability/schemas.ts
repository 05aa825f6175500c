/** JSON schemas of what the server tells about itself. */
import { Type } from 'typebox';

const nullable = <T extends import('typebox').TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const SourceKind = Type.Union([Type.Literal('file'), Type.Literal('live'), Type.Literal('pull')], {
  description: 'Recorded, published to this server, or connected by it',
});
const RoomState = Type.Union([Type.Literal('empty'), Type.Literal('live'), Type.Literal('waiting')], {
  description: 'No publisher; media flows; a camera is away and may come back. A file is always live',
});

const Quality = Type.Object({
  quality: Type.String({ description: 'Name by which it is selected' }),
  width: nullable(Type.Integer()),
  height: nullable(Type.Integer()),
  bitrate_bps: nullable(Type.Integer({ description: 'As measured, or as it is encoded; null before it is known' })),
  running: Type.Boolean(),
  available: Type.Boolean({ description: 'False where no more can be encoded now' }),
});

/** One source in `/available-videos`. */
const Video = Type.Object(
  {
    name: Type.String({ description: 'File name' }),
    source: Type.String({ description: 'Name to watch it by' }),
    title: Type.Optional(Type.String({ description: 'What people call it' })),
    group: Type.Optional(Type.String({ description: 'What it belongs to' })),
    kind: SourceKind,
    state: RoomState,
    duration_s: nullable(Type.Number()),
    width: nullable(Type.Integer({ description: 'Pixels, as shown' })),
    height: nullable(Type.Integer({ description: 'Pixels, as shown' })),
    fps: nullable(Type.Number()),
    video_codec: nullable(Type.String()),
    audio_codec: nullable(Type.String({ description: 'Of the sound that is played; null where there is none' })),
    audio_reason: Type.Optional(Type.String({ description: 'Why its sound is not played' })),
    size_bytes: Type.Union([Type.Integer(), Type.Null()]),
    delivery: Type.Union([Type.Literal('passthrough'), Type.Literal('transcode')], {
      description:
        'Copied as it is, or encoded once for all viewers; H.265 is copied for viewers that offer it, and encoded as H.264 for others',
    }),
    playable: Type.Boolean(),
    reason: Type.Optional(Type.String({ description: 'Why it is not playable, or why it is transcoded' })),
    qualities: Type.Optional(Type.Array(Quality, { description: 'Of one that runs: what its raw video is to be had in, the best first' })),
  },
  {
    title: 'Video',
    examples: [
      {
        name: 'street.mp4',
        source: 'street',
        kind: 'file',
        state: 'live',
        duration_s: 20,
        width: 1280,
        height: 720,
        fps: 30,
        video_codec: 'h264',
        audio_codec: 'aac',
        size_bytes: 3145728,
        delivery: 'passthrough',
        playable: true,
      },
    ],
  },
);
/** `GET /available-videos`. */
export const AvailableVideos = Type.Object(
  { videos: Type.Array(Video) },
  {
    title: 'AvailableVideos',
    description: 'Every source',
    examples: [
      {
        videos: [
          {
            name: 'notes.txt',
            source: 'notes',
            kind: 'file',
            state: 'live',
            duration_s: null,
            width: null,
            height: null,
            fps: null,
            video_codec: null,
            audio_codec: null,
            size_bytes: 120,
            delivery: 'transcode',
            playable: false,
            reason: 'it holds no video',
          },
        ],
      },
    ],
  },
);

const ReceivedLayer = Type.Object({
  rid: Type.String(),
  width: nullable(Type.Integer()),
  height: nullable(Type.Integer()),
  fps: Type.Number({ description: '0 while it does not come' }),
  bitrate_bps: Type.Integer(),
  packets_lost: Type.Integer(),
  keyframes_requested: Type.Integer(),
});

const Received = Type.Object(
  {
    bytes: Type.Integer(),
    packets: Type.Integer(),
    packets_lost: Type.Integer({ description: 'Never arrived, not even after a retransmission was requested' }),
    packets_repaired: Type.Integer({ description: 'Arrived after a retransmission was requested' }),
    nacks_sent: Type.Integer(),
    keyframes_requested: Type.Integer(),
    frames: Type.Integer({ description: 'Of all layers' }),
    frames_lost: Type.Integer({ description: 'Given up because one of their packets never arrived' }),
    fps: Type.Number(),
    jitter_ms: Type.Number(),
    video_codec: nullable(Type.String()),
    layers: Type.Array(ReceivedLayer, {
      description: 'Encodings that it may send at once (simulcast), as it lists them; empty where it sends one',
    }),
    no_frames_failures: Type.Integer({ description: 'Checks, every 5 s, that found no frames since the last one' }),
    reconnects_requested: Type.Integer({ description: 'How often it was asked to reconnect since the last frame' }),
    recoveries: Type.Integer({ description: 'Outages that are over' }),
  },
  { description: 'What a publisher sent' },
);

/** `GET /connection-stats`. */
export const ConnectionStats = Type.Object(
  {
    active_clients: Type.Integer({ description: 'Viewers and publishers' }),
    max_clients: Type.Integer({ description: 'Viewers that may be connected: MAX_CONNECTIONS' }),
    active_viewers: Type.Integer(),
    active_publishers: Type.Integer(),
    max_publishers: Type.Integer({ description: 'Publishers that may be connected: MAX_PUBLISHERS' }),
    shared_tracks: Type.Object({
      shared_video_tracks: Type.Integer({ description: 'Raw tracks that run now' }),
      shared_processed_tracks: Type.Integer({ description: 'Processed tracks that run now' }),
      active_clients: Type.Integer(),
    }),
    websocket_connections: Type.Integer(),
    detector_loaded: Type.Boolean(),
    ice_udp: Type.Optional(
      Type.Object(
        {
          port: Type.Integer(),
          addresses: Type.Array(Type.String(), { description: 'Of this machine, on which it listens' }),
          ice_agents: Type.Integer({ description: 'One for each transport of a client, another one during an ICE restart' }),
          peer_addresses: Type.Integer({ description: 'From which authentic checks came' }),
          datagrams_unrouted: Type.Integer({
            description: 'Since the port was opened, dropped because they are for no client: of clients that have left, or of strangers',
          }),
        },
        { description: 'The UDP port of all clients; left out where each has ports of its own' },
      ),
    ),
    clients: Type.Array(
      Type.Object({
        client_id: Type.String(),
        connection_state: Type.String({ description: 'RTCPeerConnectionState' }),
        ice_state: Type.String({ description: 'RTCIceConnectionState' }),
        created_at: Type.Number({ description: 'Unix seconds' }),
        has_processed_track: Type.Boolean(),
        source: Type.String(),
        role: Type.Union([Type.Literal('viewer'), Type.Literal('publisher')]),
        bytes_sent: Type.Integer(),
        packets_lost: Type.Integer(),
        ice_path: nullable(
          Type.String({
            description:
              'Types of the ICE candidates in use, of the server and of the client: `host/prflx`, `relay/host`, `host-tcp/prflx-tcp`; null before there are any',
          }),
        ),
        ice_troubles: Type.Array(Type.String(), { description: 'What went wrong with STUN and TURN servers' }),
        round_trip_ms: nullable(Type.Number({ description: 'Null before the first receiver report' })),
        tracks: Type.Array(Type.String()),
        video_codecs: Type.Array(Type.String()),
        m_lines: Type.Array(
          Type.Object({
            mid: nullable(Type.String()),
            source: nullable(Type.String({ description: 'Null: nothing' })),
            rendition: Type.String(),
            quality: nullable(Type.String()),
            max_height: Type.Optional(Type.Integer({ description: 'No quality is taller' })),
          }),
          { description: 'Its m-lines of video: of a wall each shows a source of its own' },
        ),
        qualities: Type.Optional(
          Type.Array(nullable(Type.String()), { description: 'Of each of its tracks, as `quality`; null before the first frame' }),
        ),
        quality: Type.Optional(
          nullable(
            Type.String({
              description:
                'Of the first video that flows: `source`, the name of a lower rung, `keyframes` (only those of the lowest) or `sound` (no picture)',
            }),
          ),
        ),
        estimate_kbps: Type.Optional(nullable(Type.Integer({ description: 'What its network carries, as far as is known' }))),
        queue_ms: Type.Optional(nullable(Type.Integer({ description: 'How long packets wait in its network now' }))),
        switches: Type.Optional(Type.Integer({ description: 'How often the quality changed, of all its video' })),
        switch_reason: Type.Optional(
          nullable(
            Type.String({
              description:
                'Why it is that quality: start, wish (asked for), congestion, room (the network carries it), trial (it may), ladder (the source has others)',
            }),
          ),
        ),
        active_tracks: Type.Array(Type.String(), { description: 'Those of its tracks that are sent now; empty while it is paused' }),
        frames_dropped: Type.Integer({ description: 'Frames this viewer lost because it did not keep up' }),
        detections_sent: Type.Integer({ description: 'Messages on its data channel' }),
        detections_dropped: Type.Integer({ description: 'Messages this viewer lost because it did not keep up' }),
        pictures_sent: Type.Integer({ description: 'JPEG frames on its data channel video' }),
        pictures_dropped: Type.Integer({ description: 'JPEG frames that newer ones replaced because this viewer did not keep up' }),
        last_activity_at: nullable(Type.Number({ description: 'Unix seconds of its newest message on the data channel commands' })),
        received: Type.Optional(Received),
      }),
    ),
  },
  {
    title: 'ConnectionStats',
    description: 'Who is connected',
    examples: [
      {
        active_clients: 1,
        max_clients: 10,
        active_viewers: 1,
        active_publishers: 0,
        max_publishers: 10,
        shared_tracks: { shared_video_tracks: 0, shared_processed_tracks: 1, active_clients: 1 },
        websocket_connections: 0,
        detector_loaded: true,
        ice_udp: {
          port: 8001,
          addresses: ['192.0.2.7'],
          ice_agents: 1,
          peer_addresses: 1,
          datagrams_unrouted: 2,
        },
        clients: [
          {
            client_id: 'drone-1',
            connection_state: 'connected',
            ice_state: 'completed',
            created_at: 1699123456.789,
            has_processed_track: true,
            source: 'street',
            role: 'viewer',
            bytes_sent: 1048576,
            packets_lost: 0,
            ice_path: 'host/prflx',
            ice_troubles: [],
            round_trip_ms: 12.5,
            tracks: ['processed'],
            video_codecs: ['h264'],
            m_lines: [{ mid: '0', source: 'street', rendition: 'processed', quality: '360p' }],
            qualities: ['360p'],
            quality: '360p',
            estimate_kbps: 930,
            queue_ms: 8,
            switches: 1,
            switch_reason: 'congestion',
            active_tracks: ['processed'],
            frames_dropped: 0,
            detections_sent: 40,
            detections_dropped: 0,
            pictures_sent: 0,
            pictures_dropped: 0,
            last_activity_at: 1699123460.1,
          },
        ],
      },
    ],
  },
);

const RunningRendition = Type.Object({
  rendition: Type.Union([Type.Literal('raw'), Type.Literal('processed'), Type.Literal('audio')]),
  codec: Type.String(),
  quality: nullable(Type.String({ description: '`source`, or a lower one by its shorter side, such as `360p`; null for sound' })),
  width: nullable(Type.Integer()),
  height: nullable(Type.Integer()),
  fps: Type.Number(),
  bitrate_bps: Type.Integer(),
  origin: Type.Union([Type.Literal('copied'), Type.Literal('layer'), Type.Literal('encoded')], {
    description: "Handed on as it comes; a camera's second stream or a layer of a publisher's simulcast; encoded here",
  }),
  viewers: Type.Integer({ description: 'In this quality' }),
  keyframe_interval_ms: nullable(Type.Number()),
  frames_sent: Type.Integer(),
  frames_dropped: Type.Integer({ description: 'Frames dropped because the encoder did not keep up' }),
  restarts: Type.Integer({ description: 'Of its encoder' }),
});
/** `GET /active-streams`. */
export const ActiveStreams = Type.Object(
  {
    sources: Type.Array(
      Type.Object({
        source: Type.String(),
        kind: SourceKind,
        state: RoomState,
        delivery: Type.String(),
        codec: nullable(Type.String({ description: 'Of what is copied; null where the source is transcoded' })),
        publisher: nullable(
          Type.String({ description: 'Client id of the publisher, or of one that may come back; null where there is none' }),
        ),
        slate: Type.Boolean({ description: 'Viewers see the slate, because the camera sends nothing' }),
        uptime_s: Type.Number(),
        restarts: Type.Integer({ description: "Of the source's reader" }),
        last_error: nullable(Type.String()),
        decoder: nullable(Type.Object({ frames_decoded: Type.Integer(), frames_dropped: Type.Integer(), restarts: Type.Integer() })),
        detection: nullable(
          Type.Object({
            model: nullable(Type.String({ description: 'Null where detection was switched off' })),
            frames_detected: Type.Integer(),
            frames_skipped: Type.Integer({ description: 'Offered while the detector was busy or past DETECT_FPS' }),
            frames_slept: Type.Integer({ description: 'Frames for which the motion gate skipped inference' }),
            failures: Type.Integer(),
            latency_ms: nullable(Type.Number({ description: 'Frame in to boxes out, moving average' })),
            objects: Type.Integer({ description: 'Objects followed now' }),
          }),
        ),
        recording: nullable(
          Type.Enum(['recording', 'waiting', 'stopped'], {
            description: '`waiting`: for an event, or for the source; `stopped`: it cannot be written; null where it is not recorded',
          }),
        ),
        qualities: Type.Array(Quality, { description: 'What the raw video is to be had in, the best first' }),
        layers_problem: nullable(
          Type.String({ description: 'Why its second stream (`low_url`) is not used; null where it is, and where there is none' }),
        ),
        renditions: Type.Array(RunningRendition),
      }),
    ),
    graph: Type.Array(
      Type.Object({
        source: Type.String(),
        rendition: Type.String({ description: 'With its codec: `raw/h264`' }),
        quality: Type.String({ description: '`source`, or a lower one such as `360p`' }),
        viewers: Type.Array(Type.String()),
      }),
      { description: 'Who watches what: source → rendition in a quality → client ids' },
    ),
  },
  {
    title: 'ActiveStreams',
    description: 'What runs now',
    examples: [
      {
        sources: [
          {
            source: 'street',
            kind: 'file',
            state: 'live',
            delivery: 'passthrough',
            codec: 'h264',
            publisher: null,
            slate: false,
            uptime_s: 12.3,
            restarts: 0,
            last_error: null,
            decoder: { frames_decoded: 369, frames_dropped: 0, restarts: 0 },
            detection: {
              model: 'sightline-demo',
              frames_detected: 184,
              frames_skipped: 185,
              frames_slept: 0,
              failures: 0,
              latency_ms: 4.2,
              objects: 3,
            },
            recording: null,
            qualities: [
              { quality: 'source', width: 1280, height: 720, bitrate_bps: 2500000, running: true, available: true },
              { quality: '540p', width: 960, height: 540, bitrate_bps: 1100000, running: false, available: true },
              { quality: '360p', width: 640, height: 360, bitrate_bps: 550000, running: false, available: true },
              { quality: '180p', width: 320, height: 180, bitrate_bps: 180000, running: false, available: true },
            ],
            layers_problem: null,
            renditions: [
              {
                rendition: 'processed',
                codec: 'h264',
                quality: 'source',
                width: 1280,
                height: 720,
                fps: 30,
                bitrate_bps: 2000000,
                origin: 'encoded',
                viewers: 1,
                keyframe_interval_ms: 2000,
                frames_sent: 369,
                frames_dropped: 0,
                restarts: 0,
              },
            ],
          },
        ],
        graph: [{ source: 'street', rendition: 'processed/h264', quality: 'source', viewers: ['drone-1'] }],
      },
    ],
  },
);

/** `GET /health`. */
export const Health = Type.Object(
  {
    status: Type.Union([Type.Literal('ok'), Type.Literal('degraded')]),
    reasons: Type.Optional(Type.Array(Type.String())),
    findings: Type.Optional(
      Type.Array(
        Type.Object({
          state: Type.Union([Type.Literal('ok'), Type.Literal('warning'), Type.Literal('failed')]),
          what: Type.String({ description: 'What was looked at, in a word' }),
          text: Type.String({ description: 'What is there, or what is wrong and what to do' }),
        }),
        { description: 'With `?verbose`' },
      ),
    ),
    uptime_s: Type.Optional(Type.Number()),
    version: Type.Optional(Type.String()),
    detector_loaded: Type.Optional(Type.Boolean()),
    active_clients: Type.Optional(Type.Integer()),
    ice_udp_port: Type.Optional(Type.Integer({ description: 'UDP port of all clients; left out where each has ports of its own' })),
    resources: Type.Optional(
      Type.Object({
        peer_connections: Type.Integer(),
        udp_sockets: Type.Integer(),
        tcp_sockets: Type.Integer(),
        child_processes: Type.Integer(),
        workers: Type.Integer(),
        timers: Type.Integer(),
      }),
    ),
    webhooks: Type.Optional(
      Type.Array(
        Type.Object({
          receiver: Type.String({ description: 'Its host' }),
          queued: Type.Integer({ description: 'Events waiting on disk' }),
          delivered: Type.Integer({ description: 'Events; one delivery may carry several' }),
          failed: Type.Integer({ description: 'Refused by the receiver, or too old' }),
          dropped: Type.Integer({ description: 'Dropped because the queue was full' }),
          last_error: nullable(Type.String()),
        }),
        { description: 'One for each WEBHOOK_URL' },
      ),
    ),
    mqtt: Type.Optional(
      Type.Object(
        {
          broker: Type.String({ description: 'Its address, without credentials' }),
          connected: Type.Boolean(),
          queued: Type.Integer({ description: 'Events waiting on disk' }),
          events: Type.Integer({ description: 'Events that it has taken since the start' }),
          events_dropped: Type.Integer({ description: 'Went by EVENT_RETENTION before it had taken them' }),
          messages: Type.Integer({ description: 'Other messages: states, counts, snapshots, detections, discovery' }),
          messages_dropped: Type.Integer({ description: 'Refused by it, or left out because too much waited' }),
          last_error: nullable(Type.String()),
        },
        { description: 'The broker of MQTT_URL' },
      ),
    ),
    process: Type.Optional(
      Type.Object({
        cpu_s: Type.Number({ description: 'User and system time of this process since it started' }),
        rss_bytes: Type.Integer(),
      }),
    ),
  },
  {
    title: 'Health',
    description: 'Whether everything that runs can be kept running',
    examples: [
      {
        status: 'ok',
        reasons: [],
        uptime_s: 86400.5,
        version: '0.2.0',
        detector_loaded: true,
        active_clients: 1,
        ice_udp_port: 8001,
        resources: { peer_connections: 1, udp_sockets: 1, tcp_sockets: 0, child_processes: 2, workers: 1, timers: 14 },
        webhooks: [{ receiver: 'hooks.example.com', queued: 0, delivered: 12, failed: 0, dropped: 0, last_error: null }],
        process: { cpu_s: 1234.5, rss_bytes: 209715200 },
      },
    ],
  },
);
/** `GET /ready`. */
export const Ready = Type.Object(
  { ready: Type.Boolean() },
  { title: 'Ready', description: 'Whether clients may connect', examples: [{ ready: true }] },
);
