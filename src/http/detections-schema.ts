/** JSON schema of a detections message, for the API reference: `media/detection-message.ts` writes it as text. */
import { Type } from 'typebox';

const Id = { object_id: Type.Integer({ description: 'Stays with the object' }) };
const Classified = {
  label: Type.String({ description: 'Name of the class' }),
  class_id: Type.Integer({ description: "Number of the class in the model's labels" }),
  score: Type.Number({ minimum: 0, maximum: 1 }),
};
const ByLabel = Type.Record(Type.String(), Type.Integer());

const DetectedObject = Type.Object({
  ...Id,
  ...Classified,
  box: Type.Array(Type.Number(), { minItems: 4, maxItems: 4, description: "Left, top, width, height in pixels of the source's frame" }),
  velocity: Type.Array(Type.Number(), { minItems: 2, maxItems: 2, description: 'Pixels per second, to the right and down' }),
  observed: Type.Boolean({ description: 'True where the detector saw it in this frame; else the box is where it is expected' }),
});

/** What is inside a zone. */
export const ZoneCount = Type.Object({
  zone: Type.String({ description: 'Its id' }),
  count: Type.Integer({ description: 'Objects inside now' }),
  object_ids: Type.Array(Type.Integer(), { description: 'Longest inside first' }),
  by_label: ByLabel,
});

/** What has crossed a line. */
export const LineCount = Type.Object({
  line: Type.String({ description: 'Its id' }),
  in: Type.Integer({ description: 'Crossings from its left to its right side' }),
  out: Type.Integer({ description: 'Crossings back' }),
  in_by_label: ByLabel,
  out_by_label: ByLabel,
});

const Event = Type.Object({
  type: Type.Enum(['enter', 'leave', 'cross']),
  zone: Type.Optional(Type.String({ description: 'Of enter and leave' })),
  line: Type.Optional(Type.String({ description: 'Of cross' })),
  direction: Type.Optional(Type.Enum(['in', 'out'], { description: 'Of cross' })),
  ...Id,
  ...Classified,
  position: Type.Array(Type.Number(), { minItems: 2, maxItems: 2, description: "Its anchor in pixels of the source's frame" }),
  dwell_s: Type.Optional(Type.Number({ description: 'Of leave: how long it was inside' })),
  frame: Type.Optional(Type.Integer({ description: 'Of missed events: the frame that it belongs to' })),
});

/** One frame that the detector looked at. */
export const DetectionsMessage = Type.Object(
  {
    source: Type.String(),
    frame: Type.Integer({ description: 'Media time × nominal frame rate; ascending, across loops and restarts too' }),
    media_time_s: Type.Number({ description: "Seconds on the source's timeline" }),
    wall_time: Type.Optional(Type.Number({ description: 'Unix seconds: when the frame was captured, where that is known' })),
    width: Type.Integer({ description: "Pixels of the source's frame" }),
    height: Type.Integer({ description: "Pixels of the source's frame" }),
    inference_ms: Type.Number(),
    rtp_timestamp: Type.Object(
      { raw: Type.Optional(Type.Integer()), processed: Type.Optional(Type.Integer()) },
      { description: "Of the frame on each of the viewer's video m-lines; empty where there is no session" },
    ),
    pairing: Type.Optional(
      Type.Object(
        { raw: Type.Optional(Type.Literal('nearest')), processed: Type.Optional(Type.Literal('nearest')) },
        {
          description:
            "Renditions in which the viewer has the frame that is nearest to the one that was looked at: it watches a camera's second stream",
        },
      ),
    ),
    objects: Type.Array(DetectedObject),
    zones: Type.Optional(Type.Array(ZoneCount)),
    lines: Type.Optional(Type.Array(LineCount)),
    events: Type.Optional(Type.Array(Event, { description: 'What happened in this frame' })),
    missed_events: Type.Optional(Type.Array(Event, { description: 'Of messages that this reader lost' })),
    warning: Type.Optional(Type.String({ description: 'A filter names a class that the model does not know' })),
    dropped: Type.Integer({ description: 'Messages that this reader has lost so far because it read too slowly' }),
    truncated: Type.Optional(Type.Integer({ description: 'Objects left out to keep the message small' })),
  },
  {
    title: 'Detections',
    description: 'One frame that the detector looked at',
    examples: [
      {
        source: 'demo',
        frame: 1234,
        media_time_s: 41.133,
        width: 1280,
        height: 720,
        inference_ms: 4.1,
        rtp_timestamp: { raw: 3702027112 },
        objects: [
          {
            object_id: 7,
            label: 'drone',
            class_id: 2,
            score: 0.88,
            box: [800.4, 150.2, 140.1, 60.8],
            velocity: [-35.2, 1.4],
            observed: true,
          },
        ],
        dropped: 0,
      },
    ],
  },
);
