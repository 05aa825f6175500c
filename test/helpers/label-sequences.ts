/**
 * Moving objects without pixels: where each object is in each picture at 1280x720 and 30 pictures a second, how
 * much of it is to be seen, and who stands before whom. A seed repeats a sequence exactly.
 */
import type { Box } from '../../src/media/index.js';
import { seededRandom } from './random.js';

export const WIDTH = 1280;
export const HEIGHT = 720;
export const FPS = 30;

/** An object in one picture. */
export interface LabelledObject {
  readonly objectId: number;
  readonly classId: number;
  /** The whole object, seen or not (as MOTChallenge labels it), cut at the border of the picture. */
  readonly box: Box;
  /** Part of the object that lies in the picture, in (0, 1]. */
  readonly inside: number;
  /** Part of the box that lies behind nothing, in [0, 1]. */
  readonly visibility: number;
}

export type LabelSequence = readonly (readonly LabelledObject[])[];

export type ScenarioName = 'crossing' | 'occlusion' | 'traffic' | 'turning' | 'approaching' | 'crowd';
export const SCENARIOS: readonly ScenarioName[] = ['crossing', 'occlusion', 'traffic', 'turning', 'approaching', 'crowd'];

/** An object counts as shown while this much of it is in the picture, and this much of that behind nothing. */
export const MIN_SHOWN = 0.3;

export function isShown({ inside, visibility }: LabelledObject): boolean {
  return inside >= MIN_SHOWN && visibility >= MIN_SHOWN;
}

/** Centre and size at a time in seconds; undefined while the object is not there. */
type Path = (s: number) => readonly [x: number, y: number, width: number, height: number] | undefined;

interface Actor {
  readonly classId: number;
  /** Larger is nearer and hides what is farther. */
  readonly depth: number;
  readonly path: Path;
}

interface Wall {
  readonly box: Box;
  readonly depth: number;
}

interface Stage {
  readonly actors: readonly Actor[];
  readonly walls: readonly Wall[];
}

/** Labels of a scenario, hidden objects among them. */
export function labelSequence(name: ScenarioName, seed: number, seconds = 20): LabelSequence {
  const stage = STAGES[name](seededRandom(seed * 7919 + SCENARIOS.indexOf(name)), seconds);
  return Array.from({ length: seconds * FPS }, (_, frame) => pictureOf(stage, frame / FPS));
}

type Random = () => number;
const between = (random: Random, low: number, high: number): number => low + (high - low) * random();
const side = (random: Random): 1 | -1 => (random() < 0.5 ? 1 : -1);

const STAGES: Readonly<Record<ScenarioName, (random: Random, seconds: number) => Stage>> = {
  /** Pairs of one class go to and fro in one lane and pass before each other. */
  crossing: (random) => ({
    walls: [],
    actors: Array.from({ length: 8 }, (_, i) => {
      const lane = 90 + 150 * (i >> 1) + between(random, -12, 12);
      const size = between(random, 60, 110);
      const start = i % 2 === 0 ? between(random, 120, 350) : between(random, 900, 1150);
      const speed = between(random, 90, 260) * (i % 2 === 0 ? 1 : -1);
      return { classId: (i >> 2) % 2, depth: i, path: (s) => [bounced(start + speed * s, 70, WIDTH - 70), lane, size, size * 1.3] };
    }),
  }),

  /** Walkers pass behind a pillar that hides them for up to a second. */
  occlusion: (random) => {
    const speeds = Array.from({ length: 6 }, () => between(random, 110, 200));
    const widths = speeds.map(() => between(random, 40, 60));
    // All of the slowest walker is hidden for 1 s at most.
    const hiddenPx = Math.min(...speeds.map((speed, i) => speed + widths[i]!));
    return {
      walls: [{ box: [between(random, 400, 700), 0, hiddenPx, HEIGHT], depth: 100 }],
      actors: speeds.map((speed, i) => {
        const heading = i % 2 === 0 ? 1 : -1;
        const start = between(random, 80, 1200);
        return {
          classId: 0,
          depth: i,
          path: (s) => [bounced(start + heading * speed * s, 60, WIDTH - 60), 100 + 105 * i, widths[i]!, widths[i]! * 2.2],
        };
      }),
    };
  },

  /** Vehicles enter on one side and leave on the other, both ways, at their own speeds. */
  traffic: (random, seconds) => ({
    walls: [],
    actors: Array.from({ length: Math.round(seconds * 0.9) }, (_, i) => {
      const lane = i % 4;
      const heading = lane < 2 ? 1 : -1;
      const width = between(random, 110, 200);
      const speed = between(random, 220, 260) + 30 * lane;
      const entersS = Math.floor(i / 4) * 4.6 + lane * 0.7 + between(random, 0, 0.6);
      const y = 140 + 150 * lane + between(random, -10, 10);
      return {
        classId: i % 2,
        depth: lane,
        path: (s) => {
          const travelled = (s - entersS) * speed;
          if (travelled < 0 || travelled > WIDTH + width) return undefined;
          return [heading > 0 ? travelled - width / 2 : WIDTH + width / 2 - travelled, y, width, width * 0.55];
        },
      };
    }),
  }),

  /** Curves, stops and starts. */
  turning: (random) => ({
    walls: [],
    actors: Array.from({ length: 8 }, (_, i) => {
      const size = between(random, 60, 120);
      const x = 190 + 300 * (i % 4);
      const y = 200 + 300 * (i >> 2);
      const phase = between(random, 0, 2 * Math.PI);
      const turn = side(random) * between(random, 0.7, 1.3);
      const radius = between(random, 60, 150);
      const circle: Path = (s) => [x + radius * Math.cos(phase + turn * s), y + 0.6 * radius * Math.sin(phase + turn * s), size, size];
      // Goes, brakes, stands and sets off again.
      const goes: Path = (s) => [
        x + 1.4 * radius * smoothSteps(s * 0.45 + phase),
        y + radius * 0.3 * Math.sin(s * 0.6),
        size * 1.3,
        size * 0.8,
      ];
      return { classId: i % 2, depth: i, path: i % 2 === 0 ? circle : goes };
    }),
  }),

  /** Objects come nearer and go away again. */
  approaching: (random) => ({
    walls: [],
    actors: Array.from({ length: 6 }, (_, i) => {
      const phase = between(random, 0, 2 * Math.PI);
      const rate = between(random, 0.5, 0.9);
      const small = between(random, 35, 55);
      const large = between(random, 140, 200);
      return {
        classId: i % 3,
        depth: i,
        path: (s) => {
          const near = 0.5 - 0.5 * Math.cos(phase + rate * s);
          const size = small * (large / small) ** near;
          return [220 + 420 * (i % 3) + 60 * Math.sin(0.4 * s + phase), 180 + 330 * Math.floor(i / 3) + 40 * near, size * 1.2, size];
        },
      };
    }),
  }),

  /** Twenty objects: pedestrians and vehicles that cross, hide each other, enter and leave. */
  crowd: (random, seconds) => ({
    walls: [{ box: [600, 0, 110, HEIGHT], depth: 50 }],
    actors: Array.from({ length: 20 }, (_, i) => {
      const depth = i;
      const heading = side(random);
      const speed = between(random, 60, 190);
      const y = 110 + 27 * i;
      const size = 34 + 2.2 * i + between(random, -6, 6);
      const isVehicle = i % 4 === 0;
      const width = isVehicle ? size * 2.2 : size;
      const height = isVehicle ? size * 1.3 : size * 2.1;
      const span = WIDTH + 2 * width;
      // Some wander inside the picture, the others pass through it.
      if (i % 3 === 0) {
        const start = between(random, 100, 1100);
        return {
          classId: isVehicle ? 1 : 0,
          depth,
          path: (s) => [bounced(start + heading * speed * s, width, WIDTH - width), y + 6 * Math.sin(s), width, height],
        };
      }
      const entersS = between(random, -0.6 * (span / speed), seconds * 0.5);
      return {
        classId: isVehicle ? 1 : 0,
        depth,
        path: (s) => {
          const travelled = (s - entersS) * speed;
          if (travelled < 0 || travelled > span) return undefined;
          return [heading > 0 ? travelled - width : WIDTH + width - travelled, y + 5 * Math.sin(1.3 * s + i), width, height];
        },
      };
    }),
  }),
};

function pictureOf({ actors, walls }: Stage, s: number): LabelledObject[] {
  const present = actors.flatMap(({ classId, depth, path }, index) => {
    const at = path(s);
    if (!at) return [];
    const [x, y, width, height] = at;
    return [{ objectId: index + 1, classId, depth, box: [x - width / 2, y - height / 2, width, height] as const }];
  });
  return present.flatMap(({ objectId, classId, depth, box }) => {
    const before = [...present, ...walls].filter((other) => other.depth > depth).map((other) => other.box);
    const shown = cut(box);
    return shown
      ? [{ objectId, classId, box: shown, inside: (shown[2] * shown[3]) / (box[2] * box[3]), visibility: visiblePart(shown, before) }]
      : [];
  });
}

/** Part of the box that lies in none of the boxes before it, on a grid of points. */
function visiblePart([x, y, width, height]: Box, before: readonly Box[]): number {
  const points = 12;
  let seen = 0;
  for (let row = 0; row < points; row++) {
    for (let column = 0; column < points; column++) {
      const px = x + ((column + 0.5) * width) / points;
      const py = y + ((row + 0.5) * height) / points;
      if (!before.some((box) => px >= box[0] && px < box[0] + box[2] && py >= box[1] && py < box[1] + box[3])) seen++;
    }
  }
  return seen / points ** 2;
}

/** The part of the box in the picture. */
export function cut([x, y, width, height]: Box): Box | undefined {
  const left = Math.max(0, x);
  const top = Math.max(0, y);
  const right = Math.min(WIDTH, x + width);
  const bottom = Math.min(HEIGHT, y + height);
  return right - left >= 2 && bottom - top >= 2 ? [left, top, right - left, bottom - top] : undefined;
}

/** To and fro: even speed between two ends, and a quick but smooth turn at both. */
function bounced(value: number, low: number, high: number): number {
  const roundness = 0.985;
  const phase = (Math.PI * (value - low)) / (high - low) - Math.PI / 2;
  return (low + high) / 2 + ((high - low) / 2) * (Math.asin(roundness * Math.sin(phase)) / Math.asin(roundness));
}

/** 0 to 1 and back, standing for a while at both ends. */
function smoothSteps(phase: number): number {
  const t = ((phase % 2) + 2) % 2;
  const up = t < 1 ? t : 2 - t;
  const moving = Math.min(1, Math.max(0, (up - 0.2) / 0.6));
  return moving * moving * (3 - 2 * moving);
}
