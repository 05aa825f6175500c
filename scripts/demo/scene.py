"""A procedural street world with cars, persons and drones.

The same world serves two purposes: still scenes with wide random variation, from which the
demo detector learns, and a coherent animation (see render_clip.py), in which actors with
fixed identities move over a fixed street.

All geometry is given in design units: the picture is 1280 x 720 units, x to the right and y
downwards. A Canvas has a scale, so the same scene can be drawn at any resolution. Every
object is drawn twice: into the picture, and into a map of object numbers. The map gives the
exact visible extent of each object, also where others hide a part of it.

Colours are (blue, green, red) tuples, as OpenCV has them.
"""

import colorsys
import math
from dataclasses import dataclass, field

import cv2
import numpy as np

WIDTH, HEIGHT = 1280, 720
LABELS = ("car", "person", "drone")
CAR, PERSON, DRONE = range(3)
PAD_VALUE = 114
MIN_VISIBLE = 0.35  # objects of which less can be seen carry no label
MIN_SIDE = 16  # smallest side of a labelled box, in design units

cv2.setNumThreads(1)


# --- colours ---------------------------------------------------------------------------------


def rgb(code):
    """Turn '#rrggbb' into a BGR tuple."""
    return int(code[5:7], 16), int(code[3:5], 16), int(code[1:3], 16)


def hsv(hue, saturation, value):
    """Turn hue, saturation and value (0..1 each) into a BGR tuple."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return int(blue * 255), int(green * 255), int(red * 255)


def mix(first, second, share):
    """Blend two colours; share 0 gives the first, 1 the second."""
    return tuple(int(a + (b - a) * share) for a, b in zip(first, second))


def shade(colour, factor):
    """Make a colour darker (factor < 1) or lighter (factor > 1)."""
    return tuple(int(min(255, max(0, c * factor))) for c in colour)


def jitter(rng, colour, amount):
    """Move each channel of a colour by a normally distributed amount."""
    return tuple(int(np.clip(c + d, 0, 255)) for c, d in zip(colour, rng.normal(0, amount, 3)))


def pick(rng, items):
    """Choose one item of a sequence."""
    return items[int(rng.integers(len(items)))]


# --- canvas ----------------------------------------------------------------------------------

_SHIFT = 4  # OpenCV draws with this many fractional bits, so that motion is smooth
_UNIT = 1 << _SHIFT


class Canvas:
    """A picture and, on demand, a map of object numbers, both drawn in design units.

    The map is larger than the picture by a margin on all sides, so that the share of an object
    which lies outside of the picture is known as well.
    """

    MARGIN = 520

    def __init__(self, scale, image=None, track=False):
        self.scale = scale
        self.height, self.width = round(HEIGHT * scale), round(WIDTH * scale)
        self.image = np.zeros((self.height, self.width, 3), np.uint8) if image is None else image
        self.margin = round(self.MARGIN * scale)
        self.ids = None
        self.slot = 0
        if track:
            shape = (self.height + 2 * self.margin, self.width + 2 * self.margin)
            self.ids = np.zeros(shape, np.uint8)
        self.extent = None

    # Primitives.

    def _fixed(self, points):
        """Convert design units to fixed-point pixel positions (pixel centres are integers)."""
        return np.round((np.asarray(points, np.float64) * self.scale - 0.5) * _UNIT).astype(np.int32)

    def polygon(self, points, colour):
        """Fill a polygon."""
        fixed = self._fixed(points)
        cv2.fillPoly(self.image, [fixed], colour, cv2.LINE_AA, _SHIFT)
        if self.ids is not None:
            moved = fixed + self.margin * _UNIT
            cv2.fillPoly(self.ids, [moved], self.slot, cv2.LINE_8, _SHIFT)
            self._grow(moved.min(0) >> _SHIFT, (moved.max(0) >> _SHIFT) + 1)

    def rect(self, left, top, right, bottom, colour):
        """Fill an upright rectangle."""
        self.polygon(((left, top), (right, top), (right, bottom), (left, bottom)), colour)

    def ellipse(self, x, y, radius_x, radius_y, colour, angle=0.0):
        """Fill an ellipse; the angle is in degrees."""
        turn = np.linspace(0, 2 * math.pi, 10 if radius_x * self.scale < 3 else 22)[:-1]
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        along, across = radius_x * np.cos(turn), radius_y * np.sin(turn)
        self.polygon(np.stack([x + along * cos - across * sin, y + along * sin + across * cos], 1), colour)

    def circle(self, x, y, radius, colour):
        """Fill a circle."""
        self.ellipse(x, y, radius, radius, colour)

    def capsule(self, start, end, radius_start, radius_end, colour):
        """Fill a limb: a line with round ends, whose two ends may differ in thickness."""
        direction = math.atan2(end[1] - start[1], end[0] - start[0])
        turn = np.linspace(math.pi / 2, 3 * math.pi / 2, 6) + direction
        back = np.stack([start[0] + radius_start * np.cos(turn), start[1] + radius_start * np.sin(turn)], 1)
        front = np.stack([end[0] - radius_end * np.cos(turn), end[1] - radius_end * np.sin(turn)], 1)
        self.polygon(np.concatenate([back, front]), colour)

    # Soft light and shadow; these never count as a part of an object.

    def _soft(self, x, y, radius_x, radius_y):
        """Return the picture's area under an ellipse and a soft weight for each of its pixels."""
        left, right = (x - radius_x) * self.scale, (x + radius_x) * self.scale
        top, bottom = (y - radius_y) * self.scale, (y + radius_y) * self.scale
        x0, x1 = max(0, int(left)), min(self.width, int(right) + 1)
        y0, y1 = max(0, int(top)), min(self.height, int(bottom) + 1)
        if x0 >= x1 or y0 >= y1:
            return None, None
        across = ((np.arange(x0, x1) + 0.5) / self.scale - x) / radius_x
        down = ((np.arange(y0, y1) + 0.5) / self.scale - y) / radius_y
        weight = np.clip(1 - (across * across)[None, :] - (down * down)[:, None], 0, 1)
        return self.image[y0:y1, x0:x1], (weight * weight)[..., None].astype(np.float32)

    def shadow(self, x, y, radius_x, radius_y, strength):
        """Darken a soft ellipse."""
        area, weight = self._soft(x, y, radius_x, radius_y)
        if area is not None:
            area[:] = area * (1 - strength * np.minimum(1, 1.6 * weight))

    def glow(self, x, y, radius_x, radius_y, colour, strength):
        """Lighten a soft ellipse towards a colour."""
        area, weight = self._soft(x, y, radius_x, radius_y)
        if area is not None:
            area[:] = area + (np.array(colour, np.float32) - area).clip(0) * weight * strength

    # Tracking of visible extents.

    def _grow(self, low, high):
        if self.extent is None:
            self.extent = [low, high]
        else:
            self.extent = [np.minimum(self.extent[0], low), np.maximum(self.extent[1], high)]

    def begin(self, slot):
        """Start an object: all that is drawn from now on belongs to it (0: to the scenery)."""
        self.slot, self.extent = slot, None

    def _area(self, extent):
        """Return the part of the map inside an extent, and its top left corner."""
        height, width = self.ids.shape
        (x0, y0), (x1, y1) = np.maximum(extent[0], 0), np.minimum(extent[1] + 1, (width, height))
        return self.ids[y0:max(y0, y1), x0:max(x0, x1)], x0, y0

    def count(self, slot, extent):
        """Count the map's pixels of one object, also those outside of the picture."""
        return int(np.count_nonzero(self._area(extent)[0] == slot))

    def visible(self, slot, extent):
        """Return (pixels, box) of what can be seen of an object; the box is x0, y0, x1, y1."""
        area, x0, y0 = self._area(extent)
        low_x, low_y = max(0, self.margin - x0), max(0, self.margin - y0)
        part = area[low_y:max(0, self.margin + self.height - y0), low_x:max(0, self.margin + self.width - x0)]
        mask = part == slot
        total = int(np.count_nonzero(mask))
        if total == 0:
            return 0, None
        columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
        left, top = x0 + low_x - self.margin, y0 + low_y - self.margin
        pixels = (left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1)
        return total, tuple(float(v) / self.scale for v in pixels)


# --- actors ----------------------------------------------------------------------------------

# Outlines of cars, rear to front: x is a share of the length, y the height above the ground as
# a share of the length. Windows follow as separate polygons.
CAR_SHAPES = {
    "sedan": (
        [(0.03, 0.07), (0, 0.13), (0, 0.22), (0.04, 0.25), (0.16, 0.262), (0.29, 0.362), (0.54, 0.368),
         (0.70, 0.262), (0.92, 0.232), (1, 0.18), (1, 0.10), (0.97, 0.07)],
        [[(0.21, 0.265), (0.305, 0.342), (0.43, 0.346), (0.43, 0.265)],
         [(0.455, 0.265), (0.455, 0.346), (0.53, 0.344), (0.645, 0.265)]]),
    "hatchback": (
        [(0.03, 0.07), (0, 0.13), (0, 0.26), (0.10, 0.385), (0.20, 0.40), (0.50, 0.395), (0.69, 0.275),
         (0.92, 0.24), (1, 0.18), (1, 0.10), (0.97, 0.07)],
        [[(0.08, 0.275), (0.14, 0.365), (0.34, 0.372), (0.34, 0.275)],
         [(0.37, 0.275), (0.37, 0.372), (0.49, 0.368), (0.635, 0.275)]]),
    "suv": (
        [(0.03, 0.09), (0, 0.14), (0, 0.30), (0.06, 0.425), (0.14, 0.44), (0.54, 0.435), (0.70, 0.31),
         (0.94, 0.28), (1, 0.22), (1, 0.12), (0.97, 0.09)],
        [[(0.05, 0.31), (0.09, 0.405), (0.24, 0.41), (0.24, 0.31)],
         [(0.265, 0.31), (0.265, 0.41), (0.41, 0.41), (0.41, 0.31)],
         [(0.435, 0.31), (0.435, 0.41), (0.53, 0.407), (0.655, 0.31)]]),
    "van": (
        [(0.03, 0.07), (0, 0.12), (0, 0.42), (0.04, 0.46), (0.62, 0.46), (0.70, 0.44), (0.86, 0.29),
         (0.97, 0.25), (1, 0.19), (1, 0.10), (0.97, 0.07)],
        [[(0.56, 0.30), (0.56, 0.42), (0.68, 0.415), (0.80, 0.30)]]),
    "coupe": (
        [(0.03, 0.065), (0, 0.12), (0, 0.205), (0.10, 0.238), (0.36, 0.322), (0.50, 0.322), (0.69, 0.235),
         (0.93, 0.20), (1, 0.15), (1, 0.09), (0.97, 0.065)],
        [[(0.24, 0.24), (0.37, 0.302), (0.42, 0.304), (0.42, 0.24)],
         [(0.445, 0.24), (0.445, 0.304), (0.495, 0.303), (0.635, 0.24)]]),
    "pickup": (
        [(0.03, 0.09), (0, 0.14), (0, 0.26), (0.02, 0.275), (0.37, 0.275), (0.40, 0.40), (0.46, 0.415),
         (0.60, 0.41), (0.73, 0.295), (0.95, 0.27), (1, 0.21), (1, 0.12), (0.97, 0.09)],
        [[(0.425, 0.295), (0.44, 0.385), (0.51, 0.388), (0.51, 0.295)],
         [(0.53, 0.295), (0.53, 0.388), (0.595, 0.386), (0.69, 0.295)]]),
}
CAR_PAINTS = ["#c8372d", "#e2e4e8", "#2f6fb5", "#23262c", "#e0a82e", "#3f8f6b", "#9aa3ad", "#d9682f",
              "#6b4a8f", "#7fb4d6", "#f2f0e6", "#8c2f3d", "#48535e"]


def smooth(points, rounds=2):
    """Round off the corners of a closed polygon by cutting them."""
    points = np.asarray(points, np.float64)
    for _ in range(rounds):
        following = np.roll(points, -1, 0)
        points = np.stack([0.8 * points + 0.2 * following, 0.2 * points + 0.8 * following], 1).reshape(-1, 2)
    return points


_OUTLINES = {name: smooth(outline) for name, (outline, _) in CAR_SHAPES.items()}


@dataclass
class Car:
    """How one car looks; its size is its length."""

    shape: str
    paint: tuple
    glass: tuple
    facing: int = 1
    tall: float = 1.0
    lamps: float = 0.0
    taxi: bool = False
    kind: int = CAR

    @staticmethod
    def random(rng, lamps=0.0):
        """Make a car of random shape and colour."""
        known = rng.random() < 0.6
        paint = jitter(rng, rgb(pick(rng, CAR_PAINTS)), 8) if known else hsv(
            rng.random(), rng.uniform(0, 0.95), rng.uniform(0.12, 1))
        glass = mix((52, 44, 38), (226, 206, 176), rng.random() ** 1.5)
        return Car(pick(rng, list(CAR_SHAPES)), paint, glass, 1 if rng.random() < 0.5 else -1,
                   rng.uniform(0.92, 1.12), lamps, bool(rng.random() < 0.08))

    def draw(self, canvas, x, ground, size, phase, time):
        """Draw the car centred at x; the phase is the distance it has gone, in design units."""
        def place(points):
            points = np.asarray(points, np.float64)
            return np.stack([x + (points[..., 0] - 0.5) * size * self.facing,
                             ground - points[..., 1] * size * self.tall], -1)

        def at(px, py):
            return place([(px, py)])[0]

        wheel = size * 0.082
        dark = shade(self.paint, 0.62)
        canvas.shadow(x, ground - 0.005 * size, 0.60 * size, 0.075 * size, 0.62)
        outline = place(_OUTLINES[self.shape])
        canvas.polygon(outline, self.paint)
        sill = 0.075 if self.shape not in ("suv", "pickup") else 0.095
        canvas.polygon(place([(0.01, sill), (0.99, sill), (0.995, 0.125), (0.005, 0.125)]), dark)
        windows = CAR_SHAPES[self.shape][1]
        for window in windows:
            canvas.polygon(place(window), self.glass)
            (lx, ly), (ux, uy) = window[0], window[1]
            bright = [(lx + (ux - lx) * 0.55, ly + (uy - ly) * 0.55), (ux, uy), (window[2][0], window[2][1]),
                      (window[2][0] * 0.45 + lx * 0.55, ly + (uy - ly) * 0.55)]
            canvas.polygon(place(bright), mix(self.glass, (250, 240, 230), 0.25))
        belt = min(p[1] for p in windows[-1])
        canvas.polygon(place([(0.03, belt - 0.032), (0.95, belt - 0.045), (0.95, belt - 0.055), (0.03, belt - 0.042)]),
                       mix(self.paint, (255, 255, 255), 0.28))
        seam = windows[-1][0][0] - 0.012
        canvas.polygon(place([(seam - 0.003, 0.12), (seam + 0.003, 0.12), (seam + 0.003, belt), (seam - 0.003, belt)]), dark)
        canvas.polygon(place([(seam - 0.075, belt - 0.075), (seam - 0.03, belt - 0.075),
                              (seam - 0.03, belt - 0.062), (seam - 0.075, belt - 0.062)]), dark)
        if self.taxi:
            top = max(p[1] for p in CAR_SHAPES[self.shape][0])
            canvas.polygon(place([(0.39, top - 0.01), (0.47, top - 0.01), (0.46, top + 0.035), (0.40, top + 0.035)]),
                           (120, 225, 250))
        canvas.polygon(place([(0.955, 0.165), (0.998, 0.145), (0.998, 0.185), (0.95, 0.21)]), (205, 245, 255))
        canvas.polygon(place([(0.002, 0.155), (0.03, 0.155), (0.03, 0.215), (0.002, 0.205)]), (45, 40, 215))
        for px in (0.2, 0.8):
            cx = at(px, 0)[0]
            cy = ground - wheel
            canvas.circle(cx, cy - 0.004 * size, wheel * 1.17, shade(self.paint, 0.32))
            canvas.circle(cx, cy, wheel, (34, 31, 30))
            canvas.circle(cx, cy, wheel * 0.64, (176, 172, 170))
            if wheel * canvas.scale > 4:
                for spoke in range(5):
                    angle = self.facing * phase / wheel + spoke * 2 * math.pi / 5
                    tip = (cx + 0.56 * wheel * math.cos(angle), cy + 0.56 * wheel * math.sin(angle))
                    canvas.capsule((cx, cy), tip, wheel * 0.08, wheel * 0.12, (92, 88, 86))
            canvas.circle(cx, cy, wheel * 0.17, (70, 66, 64))
        if self.lamps > 0:
            (lx, ly), (rx, ry) = at(1.0, 0.17), at(0.0, 0.18)
            canvas.glow(lx, ly, 0.13 * size, 0.085 * size, (200, 240, 255), 0.8 * self.lamps)
            canvas.glow(lx + 0.26 * size * self.facing, ground, 0.36 * size, 0.05 * size, (170, 225, 255), 0.35 * self.lamps)
            canvas.glow(rx, ry, 0.07 * size, 0.05 * size, (60, 50, 255), 0.7 * self.lamps)


SKINS = ["#f1c9a5", "#d9a066", "#a9714b", "#7a4b32", "#5a3825"]
CLOTHES = ["#c0392b", "#2e86c1", "#f4d03f", "#27ae60", "#884ea0", "#ecf0f1", "#34495e", "#e67e22",
           "#1abc9c", "#d98880", "#5d6d7e", "#212f3c"]


@dataclass
class Person:
    """How one person looks; the size is the height of the body."""

    skin: tuple
    top: tuple
    legs: tuple
    hair: tuple
    facing: int = 1
    stout: float = 1.0
    coat: float = 0.0
    long_hair: bool = False
    hat: bool = False
    backpack: tuple = None
    bag: bool = False
    stride: float = 1.0
    kind: int = PERSON

    @staticmethod
    def random(rng):
        """Make a person with random build and clothes."""
        def cloth():
            if rng.random() < 0.6:
                return jitter(rng, rgb(pick(rng, CLOTHES)), 8)
            return hsv(rng.random(), rng.uniform(0, 0.9), rng.uniform(0.1, 1))

        return Person(
            skin=jitter(rng, rgb(pick(rng, SKINS)), 5), top=cloth(), legs=shade(cloth(), rng.uniform(0.35, 0.9)),
            hair=jitter(rng, rgb(pick(rng, ["#2b1d14", "#1a1a1f", "#6b4423", "#b8893b", "#8d8d92", "#7c2d1b"])), 6),
            facing=1 if rng.random() < 0.5 else -1, stout=rng.uniform(0.85, 1.3),
            coat=float(rng.uniform(0.06, 0.24)) if rng.random() < 0.35 else 0.0,
            long_hair=bool(rng.random() < 0.4), hat=bool(rng.random() < 0.2),
            backpack=cloth() if rng.random() < 0.3 else None, bag=bool(rng.random() < 0.2),
            stride=rng.uniform(0.75, 1.1) if rng.random() < 0.8 else 0.12)

    def pace(self, size):
        """Return the distance of one full walking cycle (two steps)."""
        return 0.86 * size * self.stride

    def draw(self, canvas, x, ground, size, phase, time):
        """Draw the person; the phase counts walking cycles."""
        face, wide = self.facing, self.stout
        swing = 2 * math.pi * phase

        def joint(start, angle, length):
            return start[0] + face * math.sin(angle) * length * size, start[1] + math.cos(angle) * length * size

        def leg(offset):
            forward = 0.46 * self.stride * math.sin(swing + offset)
            bend = 0.14 + 0.62 * self.stride * max(0.0, math.cos(swing + offset)) ** 1.5
            return forward, forward - bend * (0.35 + 0.65 * self.stride)

        plans = [leg(0.0), leg(math.pi)]
        reach = max(0.245 * math.cos(a) + 0.235 * math.cos(b) for a, b in plans)
        hip = (x, ground - (reach + 0.025) * size)
        shoulder = (x + 0.012 * face * size, hip[1] - 0.315 * size)

        canvas.shadow(x, ground, 0.20 * size * wide, 0.04 * size, 0.5)

        def draw_leg(plan, colour):
            knee = joint(hip, plan[0], 0.245)
            foot = joint(knee, plan[1], 0.235)
            canvas.capsule(hip, knee, 0.056 * size * wide, 0.043 * size * wide, colour)
            canvas.capsule(knee, foot, 0.043 * size * wide, 0.030 * size * wide, colour)
            toe = (foot[0] + face * 0.062 * size, foot[1] + 0.004 * size)
            canvas.capsule(foot, toe, 0.026 * size, 0.020 * size, (40, 36, 38))

        def draw_arm(offset, colour):
            angle = 0.55 * self.stride * math.sin(swing + offset)
            elbow = joint(shoulder, angle, 0.165)
            hand = joint(elbow, angle + 0.28 + 0.2 * self.stride, 0.150)
            canvas.capsule(shoulder, elbow, 0.040 * size * wide, 0.034 * size * wide, colour)
            canvas.capsule(elbow, hand, 0.034 * size * wide, 0.026 * size * wide, colour)
            canvas.circle(hand[0], hand[1], 0.028 * size, self.skin)
            return hand

        draw_arm(0.0, shade(self.top, 0.7))
        draw_leg(plans[1], shade(self.legs, 0.75))
        draw_leg(plans[0], self.legs)
        if self.backpack is not None:
            back = shoulder[0] - face * 0.10 * size * wide
            canvas.capsule((back, shoulder[1] + 0.04 * size), (back, shoulder[1] + 0.18 * size),
                           0.055 * size, 0.065 * size, self.backpack)
        half = 0.088 * size * wide
        low = hip[1] + (0.02 + self.coat) * size
        flare = 1.0 + 1.6 * self.coat
        torso = [(shoulder[0] - half, shoulder[1] + 0.02 * size), (shoulder[0] - half * 0.6, shoulder[1] - 0.03 * size),
                 (shoulder[0] + half * 0.6, shoulder[1] - 0.03 * size), (shoulder[0] + half, shoulder[1] + 0.03 * size),
                 (hip[0] + half * 0.95 * flare, low), (hip[0] - half * 0.95 * flare, low)]
        canvas.polygon(smooth(torso, 1), self.top)
        hand = draw_arm(math.pi, shade(self.top, 0.86))
        if self.bag:
            canvas.polygon([(hand[0] - 0.05 * size, hand[1] + 0.02 * size), (hand[0] + 0.05 * size, hand[1] + 0.02 * size),
                            (hand[0] + 0.06 * size, hand[1] + 0.13 * size), (hand[0] - 0.06 * size, hand[1] + 0.13 * size)],
                           shade(self.hair, 1.5))
        head = (shoulder[0] + 0.014 * face * size, shoulder[1] - 0.105 * size)
        canvas.capsule((shoulder[0], shoulder[1] - 0.01 * size), head, 0.028 * size, 0.028 * size, shade(self.skin, 0.85))
        if self.long_hair:
            canvas.capsule((head[0] - 0.03 * face * size, head[1]), (head[0] - 0.045 * face * size, head[1] + 0.085 * size),
                           0.052 * size, 0.035 * size, self.hair)
        canvas.ellipse(head[0], head[1], 0.053 * size, 0.064 * size, self.skin)
        canvas.ellipse(head[0] - 0.014 * face * size, head[1] - 0.026 * size, 0.054 * size, 0.046 * size, self.hair)
        if self.hat:
            canvas.capsule((head[0] - 0.055 * size, head[1] - 0.035 * size), (head[0] + 0.06 * size, head[1] - 0.035 * size),
                           0.014 * size, 0.014 * size, shade(self.top, 0.6))


@dataclass
class Drone:
    """How one drone looks; the size is its width from rotor tip to rotor tip."""

    hull: tuple
    arms: tuple
    blades: tuple
    tall: float = 1.0
    gear: float = 0.17
    camera: bool = True
    inner: bool = True
    lights: float = 1.0
    kind: int = DRONE

    @staticmethod
    def random(rng, lights=0.6):
        """Make a drone with random colours and proportions."""
        draw = rng.random()
        if draw < 0.5:
            hull = mix((40, 37, 35), (110, 106, 102), rng.random())
        elif draw < 0.8:
            hull = mix((190, 188, 185), (250, 250, 250), rng.random())
        else:
            hull = hsv(rng.random(), rng.uniform(0.4, 0.9), rng.uniform(0.4, 1))
        return Drone(hull, shade(hull, rng.uniform(0.6, 0.95)), mix(hull, (185, 185, 185), rng.uniform(0.35, 0.8)),
                     rng.uniform(0.9, 1.2), rng.uniform(0.13, 0.2), bool(rng.random() < 0.8),
                     bool(rng.random() < 0.7), lights)

    def draw(self, canvas, x, y, size, phase, time):
        """Draw the drone centred at x, y; the phase is its tilt in degrees."""
        cos, sin = math.cos(math.radians(phase)), math.sin(math.radians(phase))

        def at(px, py):
            py = -py * self.tall
            return x + (px * cos - py * sin) * size, y + (px * sin + py * cos) * size

        if self.inner:
            for side in (-1, 1):
                canvas.capsule(at(0, 0.02), at(side * 0.2, 0.09), 0.026 * size, 0.018 * size, shade(self.arms, 0.8))
                canvas.ellipse(*at(side * 0.2, 0.12), 0.10 * size, 0.017 * size, shade(self.blades, 0.9), phase)
        for side in (-1, 1):
            canvas.capsule(at(side * 0.09, -0.03), at(side * 0.17, -0.02 - self.gear), 0.018 * size, 0.014 * size, self.arms)
            canvas.capsule(at(side * 0.11, -0.02 - self.gear), at(side * 0.24, -0.02 - self.gear), 0.013 * size, 0.013 * size,
                           self.arms)
            canvas.capsule(at(0, 0.01), at(side * 0.36, 0.065), 0.034 * size, 0.022 * size, self.arms)
            canvas.capsule(at(side * 0.36, 0.05), at(side * 0.36, 0.12), 0.026 * size, 0.020 * size, shade(self.hull, 0.75))
            canvas.ellipse(*at(side * 0.36, 0.145), 0.14 * size, 0.020 * size, self.blades, phase)
        canvas.polygon(smooth([at(-0.2, -0.02), at(-0.15, 0.06), at(-0.06, 0.095), at(0.08, 0.095), at(0.17, 0.05),
                               at(0.2, -0.02), at(0.12, -0.075), at(-0.12, -0.075)], 1), self.hull)
        canvas.polygon([at(-0.12, 0.045), at(-0.06, 0.075), at(0.07, 0.075), at(0.13, 0.045)], mix(self.hull, (255, 255, 255), 0.3))
        if self.camera:
            canvas.circle(*at(0.04, -0.105), 0.045 * size, (46, 42, 40))
            canvas.circle(*at(0.055, -0.105), 0.02 * size, (190, 150, 110))
        if self.lights > 0:
            on = (time % 1.0) < 0.5
            for side, colour in ((-1, (60, 60, 255)), (1, (90, 255, 110))):
                spot = at(side * 0.33, 0.035)
                canvas.circle(*spot, 0.022 * size, colour if on else shade(colour, 0.45))
                if on:
                    canvas.glow(*spot, 0.16 * size, 0.16 * size, colour, 0.75 * self.lights)


@dataclass
class Actor:
    """One object in a scene: who it is, how it looks, and where it stands.

    x and y are the middle of the lower edge for cars and persons, the centre for drones. The
    meaning of size and phase depends on the look.
    """

    identity: int
    look: object
    x: float
    y: float
    size: float
    phase: float = 0.0

    @property
    def kind(self):
        """The class number of the object."""
        return self.look.kind

    @property
    def depth(self):
        """The painter's order: larger is nearer. Drones fly in front of all else."""
        return self.y + (10000 if self.kind == DRONE else 0)


# --- the street ------------------------------------------------------------------------------


@dataclass
class Palette:
    """The light and the materials of a street."""

    sky_top: tuple
    sky_low: tuple
    sun: tuple
    walls: list
    window: tuple
    lit_window: tuple
    lit: float
    road: tuple
    walk: tuple
    leaf: tuple
    lamps: float = 0.0


PALETTES = {
    "dusk": Palette(rgb("#27386f"), rgb("#f7b58a"), rgb("#ffd9a0"),
                    [rgb(c) for c in ("#6b5a78", "#8a6466", "#52648a", "#94766e", "#5f7f88", "#7a5f86")],
                    rgb("#38415f"), rgb("#ffd68a"), 0.42, rgb("#50505e"), rgb("#8d8490"), rgb("#3f6b55"), 1.0),
    "day": Palette(rgb("#4a93d9"), rgb("#d3e9f5"), rgb("#fff6d8"),
                   [rgb(c) for c in ("#c9a48a", "#b5b9c2", "#d8c7a3", "#a86f5b", "#8fa6b5", "#e0dcd2")],
                   rgb("#5f7f9a"), rgb("#e9f4ff"), 0.15, rgb("#6d6d72"), rgb("#b9b4ac"), rgb("#4f8a3f"), 0.0),
    "golden": Palette(rgb("#6fa0cf"), rgb("#ffe1b0"), rgb("#fff0c0"),
                      [rgb(c) for c in ("#d09a6a", "#b9806a", "#e0bd8a", "#9a7f77", "#c7b29a", "#8d7f92")],
                      rgb("#6a6a7d"), rgb("#ffe9a8"), 0.3, rgb("#75696a"), rgb("#bda892"), rgb("#6f8a3c"), 0.3),
    "overcast": Palette(rgb("#8e99a5"), rgb("#ccd2d6"), rgb("#e4e6e8"),
                        [rgb(c) for c in ("#8f8a86", "#75777d", "#a39a8e", "#7f6a62", "#6c7b83", "#b0b0ac")],
                        rgb("#4f5a63"), rgb("#f3e2b5"), 0.2, rgb("#5e6064"), rgb("#9c9b98"), rgb("#556f4d"), 0.2),
    "night": Palette(rgb("#0e1530"), rgb("#3b4a78"), rgb("#c8d4f0"),
                     [rgb(c) for c in ("#2c3350", "#3a3350", "#26405a", "#453a4d", "#2f4a55", "#3d3f5f")],
                     rgb("#1c2238"), rgb("#ffcf7a"), 0.5, rgb("#33364a"), rgb("#565a70"), rgb("#274a43"), 1.0),
}


def random_palette(rng):
    """Take one of the palettes and vary it, at times beyond recognition."""
    base = PALETTES[pick(rng, list(PALETTES))]
    wild = rng.random() < 0.25
    amount = 45 if wild else 14

    def vary(colour):
        return jitter(rng, colour, amount)

    return Palette(vary(base.sky_top), vary(base.sky_low), vary(base.sun), [vary(c) for c in base.walls],
                   vary(base.window), vary(base.lit_window), rng.uniform(0.05, 0.8), vary(base.road), vary(base.walk),
                   vary(base.leaf), base.lamps * rng.uniform(0.3, 1))


@dataclass
class Street:
    """A street with its buildings and furniture; the same seed always gives the same street."""

    seed: int
    palette: Palette
    horizon: float = 372.0  # foot of the buildings
    kerb: float = 414.0  # far edge of the road
    edge: float = 636.0  # near edge of the road
    far_scale: float = 0.52  # size of things at the horizon; at the picture's lower edge it is 1
    clutter: int = 0  # number of meaningless shapes
    birds: bool = True
    furniture: list = field(default_factory=list)

    def __post_init__(self):
        self._furnish(np.random.default_rng([self.seed, 1]))

    @staticmethod
    def random(rng):
        """Make a street with random light, layout and contents."""
        horizon = rng.uniform(220, 400)
        kerb = horizon + rng.uniform(22, 60)
        return Street(int(rng.integers(1 << 31)), random_palette(rng), horizon, kerb, rng.uniform(590, 700),
                      rng.uniform(0.34, 0.66), int(rng.integers(0, 7)) if rng.random() < 0.7 else 0)

    def scale_at(self, y):
        """Return how large things appear whose foot stands at y."""
        return self.far_scale + (1 - self.far_scale) * (y - self.horizon) / (HEIGHT - self.horizon)

    # Street furniture stands among the actors and can hide them.

    def _furnish(self, rng):
        makers = (self._lamp, self._tree, self._bench, self._bin, self._sign, self._bush, self._signal)
        for y, count in ((self.kerb - 8, rng.integers(3, 8)), (self.edge + 14, rng.integers(1, 4))):
            x = rng.uniform(20, 200)
            for _ in range(count):
                maker = makers[int(rng.choice(7, p=(0.24, 0.26, 0.1, 0.12, 0.14, 0.08, 0.06)))]
                if y > self.kerb and maker == self._tree:
                    maker = self._bush
                self.furniture.append((y, maker(rng, x, y, self.scale_at(y))))
                x += rng.uniform(120, 420)

    def _lamp(self, rng, x, y, scale):
        height, side = rng.uniform(280, 380) * scale, pick(rng, (-1, 1))
        metal = mix((48, 44, 42), (120, 116, 112), rng.random())
        strength = self.palette.lamps

        def draw(canvas, time):
            head = (x + side * 56 * scale, y - height)
            canvas.shadow(x, y, 18 * scale, 5 * scale, 0.4)
            canvas.capsule((x, y), (x, y - height), 5 * scale, 3 * scale, metal)
            canvas.capsule((x, y - height), head, 3 * scale, 3 * scale, metal)
            canvas.ellipse(head[0], head[1] + 4 * scale, 17 * scale, 6 * scale, mix(metal, (190, 235, 255), 0.2 + 0.8 * min(1, strength)))
            canvas.rect(x - 8 * scale, y - 26 * scale, x + 8 * scale, y, shade(metal, 0.8))
            if strength > 0:
                canvas.glow(head[0], head[1] + 8 * scale, 80 * scale, 66 * scale, (170, 225, 255), 0.6 * strength)
        return draw

    def _tree(self, rng, x, y, scale):
        height = rng.uniform(150, 250) * scale
        leaf = jitter(rng, self.palette.leaf, 10)
        blobs = [(rng.uniform(-62, 62) * scale, -height * rng.uniform(0.62, 1.1), rng.uniform(30, 52) * scale) for _ in range(11)]
        blobs.sort(key=lambda blob: blob[1], reverse=True)

        def draw(canvas, time):
            canvas.shadow(x, y, 56 * scale, 9 * scale, 0.45)
            canvas.capsule((x, y), (x, y - height * 0.75), 8 * scale, 5 * scale, (46, 58, 74))
            for index, (dx, dy, radius) in enumerate(blobs):
                canvas.circle(x + dx, y + dy + 5 * scale, radius, shade(leaf, 0.62 + 0.04 * index))
            for dx, dy, radius in blobs:
                canvas.circle(x + dx - radius * 0.22, y + dy - radius * 0.25, radius * 0.62, shade(leaf, 1.12))
        return draw

    def _bush(self, rng, x, y, scale):
        leaf = jitter(rng, self.palette.leaf, 12)
        blobs = [(rng.uniform(-46, 46) * scale, -rng.uniform(8, 30) * scale, rng.uniform(15, 26) * scale) for _ in range(7)]

        def draw(canvas, time):
            canvas.shadow(x, y, 64 * scale, 8 * scale, 0.4)
            for dx, dy, radius in blobs:
                canvas.circle(x + dx, y + dy, radius, shade(leaf, 0.8))
            for dx, dy, radius in blobs:
                canvas.circle(x + dx - radius * 0.2, y + dy - radius * 0.3, radius * 0.55, shade(leaf, 1.1))
        return draw

    def _bench(self, rng, x, y, scale):
        wood = jitter(rng, rgb("#8a5a33"), 14)

        def draw(canvas, time):
            canvas.shadow(x, y, 66 * scale, 8 * scale, 0.4)
            for side in (-44, 44):
                canvas.rect(x + (side - 4) * scale, y - 36 * scale, x + (side + 4) * scale, y, (52, 48, 46))
            for top in (-74, -60, -40):
                canvas.rect(x - 58 * scale, y + top * scale, x + 58 * scale, y + (top + 10) * scale, wood)
        return draw

    def _bin(self, rng, x, y, scale):
        colour = jitter(rng, pick(rng, (rgb("#3c6b4f"), rgb("#4a5560"), rgb("#b8432f"), rgb("#2f5f8f"))), 12)
        height, half = rng.uniform(50, 90) * scale, rng.uniform(16, 26) * scale

        def draw(canvas, time):
            canvas.shadow(x, y, half * 1.5, 6 * scale, 0.4)
            canvas.polygon([(x - half, y - height), (x + half, y - height), (x + half * 0.82, y), (x - half * 0.82, y)], colour)
            canvas.ellipse(x, y - height, half * 1.05, half * 0.3, shade(colour, 0.6))
            canvas.rect(x - half * 0.9, y - height * 0.62, x + half * 0.9, y - height * 0.52, shade(colour, 1.4))
        return draw

    def _sign(self, rng, x, y, scale):
        height, radius = rng.uniform(150, 210) * scale, rng.uniform(18, 27) * scale
        face = pick(rng, ((60, 50, 200), (180, 90, 30), (240, 240, 240), (40, 190, 240)))
        round_face = rng.random() < 0.5

        def draw(canvas, time):
            canvas.shadow(x, y, 14 * scale, 4 * scale, 0.4)
            canvas.capsule((x, y), (x, y - height), 3.4 * scale, 3.4 * scale, (120, 118, 116))
            if round_face:
                canvas.circle(x, y - height, radius, face)
                canvas.circle(x, y - height, radius * 0.7, (236, 236, 236))
            else:
                canvas.rect(x - radius, y - height - radius, x + radius, y - height + radius, face)
                canvas.rect(x - radius * 0.6, y - height - radius * 0.2, x + radius * 0.6, y - height + radius * 0.2, (236, 236, 236))
        return draw

    def _signal(self, rng, x, y, scale):
        """A traffic light that changes exactly every two seconds."""
        height = rng.uniform(170, 210) * scale

        def draw(canvas, time):
            canvas.shadow(x, y, 14 * scale, 4 * scale, 0.4)
            canvas.capsule((x, y), (x, y - height), 4 * scale, 4 * scale, (74, 70, 68))
            canvas.rect(x - 12 * scale, y - height - 52 * scale, x + 12 * scale, y - height + 8 * scale, (40, 37, 36))
            go = int(time / 2 + 1e-6) % 2 == 0
            for row, colour, on in ((-37, (70, 70, 255), not go), (-8, (120, 240, 90), go)):
                canvas.circle(x, y - height + row * scale, 8.5 * scale, colour if on else shade(colour, 0.25))
                if on:
                    canvas.glow(x, y - height + row * scale, 30 * scale, 30 * scale, colour, 0.6)
        return draw

    # The background never moves and is drawn once for each scale.

    def background(self, scale):
        """Draw all that lies behind the actors."""
        rng = np.random.default_rng([self.seed, 2])
        canvas = Canvas(scale)
        self._sky(rng, canvas)
        for haze in (0.70, 0.42):
            self._skyline(rng, canvas, haze)
        self._houses(rng, canvas)
        self._ground(rng, canvas)
        for _ in range(self.clutter):
            self._shape(rng, canvas)
        grain = rng.normal(0, 1, (180, 320)).astype(np.float32)
        grain = cv2.resize(grain, (canvas.width, canvas.height), interpolation=cv2.INTER_LINEAR)[..., None]
        strength = np.full((canvas.height, 1, 1), 1.2, np.float32)
        strength[round(self.kerb * scale):] = 2.4
        canvas.image[:] = np.clip(canvas.image + grain * strength, 0, 255)
        return canvas.image

    def _sky(self, rng, canvas):
        rows = max(1, round(self.horizon * canvas.scale))
        share = (np.linspace(0, 1, rows) ** 0.85)[:, None, None]
        top, low = (np.array(c, np.float32) for c in (self.palette.sky_top, self.palette.sky_low))
        canvas.image[:rows] = top + (low - top) * share
        x, y = rng.uniform(100, 1180), rng.uniform(0.35, 0.8) * self.horizon
        canvas.glow(x, y, 420, 250, self.palette.sun, 0.5)
        canvas.glow(x, y, 90, 90, self.palette.sun, 0.7)
        canvas.circle(x, y, 30, mix(self.palette.sun, (255, 255, 255), 0.5))
        light = mix(self.palette.sky_low, (255, 255, 255), 0.45)
        for _ in range(rng.integers(2, 7)):
            x, y, size = rng.uniform(0, WIDTH), rng.uniform(0.05, 0.6) * self.horizon, rng.uniform(50, 130)
            for _ in range(6):
                canvas.glow(x + rng.uniform(-1.2, 1.2) * size, y + rng.uniform(-0.12, 0.12) * size,
                            size * rng.uniform(0.5, 1.1), size * rng.uniform(0.14, 0.26), light, 0.5)
        for _ in range(rng.integers(0, 5)):
            x, y, size = rng.uniform(0, WIDTH), rng.uniform(0.05, 0.5) * self.horizon, rng.uniform(6, 15)
            lift = rng.uniform(0.3, 0.8) * size
            for side in (-1, 1) if self.birds else ():
                canvas.capsule((x, y), (x + side * size, y - lift), 2.4, 1.0, (70, 62, 60))

    def _skyline(self, rng, canvas, haze):
        x = -rng.uniform(0, 60)
        while x < WIDTH:
            width, height = rng.uniform(50, 130), self.horizon * rng.uniform(0.35, 0.86) * (1.15 - haze * 0.35)
            wall = mix(pick(rng, self.palette.walls), mix(self.palette.sky_low, self.palette.sky_top, 0.42), haze)
            top = self.horizon - height
            canvas.rect(x, top, x + width, self.horizon, wall)
            style = rng.random()
            if style < 0.2:
                canvas.capsule((x + width / 2, top), (x + width / 2, top - 40), 2, 1, wall)
            elif style < 0.4:
                canvas.rect(x + width * 0.2, top - 22, x + width * 0.8, top, wall)
            elif style < 0.5:
                canvas.polygon([(x, top), (x + width / 2, top - 34), (x + width, top)], wall)
            lit = mix(self.palette.lit_window, self.palette.sky_low, haze * 0.6)
            step = rng.uniform(15, 22)
            for wy in np.arange(top + 10, self.horizon - 30, step):
                for wx in np.arange(x + 8, x + width - 10, step * 0.8):
                    if rng.random() < self.palette.lit * 0.5:
                        canvas.rect(wx, wy, wx + step * 0.3, wy + step * 0.42, lit)
            x += width + (rng.uniform(0, 50) if rng.random() < 0.4 else 0)

    def _houses(self, rng, canvas):
        x = -rng.uniform(0, 120)
        while x < WIDTH:
            width = rng.uniform(120, 260)
            if rng.random() < 0.86:
                self._house(rng, canvas, x, width, self.horizon * rng.uniform(0.4, 0.8))
            x += width + (rng.uniform(8, 70) if rng.random() < 0.35 else 0)

    def _house(self, rng, canvas, x, width, height):
        palette, foot = self.palette, self.horizon
        wall = jitter(rng, pick(rng, palette.walls), 6)
        top, right = foot - height, x + width
        canvas.rect(x, top, right, foot, wall)
        canvas.rect(right - width * 0.1, top, right, foot, shade(wall, 0.88))
        style = rng.random()
        if style < 0.25:
            canvas.polygon([(x - 8, top), (x + width * 0.5, top - 46), (right + 8, top)], shade(wall, 0.62))
        else:
            canvas.rect(x - 4, top - 7, right + 4, top + 5, shade(wall, 1.2))
            if style < 0.55:
                tank = x + width * rng.uniform(0.2, 0.7)
                canvas.rect(tank, top - 30, tank + 34, top - 7, shade(wall, 0.7))
            elif style < 0.75:
                mast = x + width * rng.uniform(0.2, 0.8)
                canvas.capsule((mast, top - 5), (mast, top - 52), 1.8, 1.2, shade(wall, 0.5))
        shop = min(66.0, height * 0.36)
        step_x, step_y = rng.uniform(32, 46), rng.uniform(44, 58)
        pane_x, pane_y = step_x * rng.uniform(0.45, 0.65), step_y * rng.uniform(0.5, 0.66)
        columns = max(1, int((width - 16) // step_x))
        left = x + (width - columns * step_x + step_x - pane_x) / 2
        for row in range(max(0, int((height - shop - 18) // step_y))):
            wy = top + 18 + row * step_y
            for column in range(columns):
                wx = left + column * step_x
                lit = rng.random() < palette.lit
                pane = jitter(rng, palette.lit_window if lit else palette.window, 10)
                canvas.rect(wx - 2.5, wy - 2.5, wx + pane_x + 2.5, wy + pane_y + 3.5, shade(wall, 0.74))
                canvas.rect(wx, wy, wx + pane_x, wy + pane_y, pane)
                canvas.rect(wx, wy + pane_y * 0.47, wx + pane_x, wy + pane_y * 0.53, shade(wall, 0.8))
                if not lit:
                    canvas.polygon([(wx, wy + pane_y * 0.4), (wx + pane_x * 0.6, wy), (wx + pane_x * 0.85, wy), (wx, wy + pane_y * 0.62)],
                                   mix(pane, palette.sky_low, 0.25))
        front = foot - shop
        glass = palette.lit_window if rng.random() < palette.lit + 0.15 else palette.window
        canvas.rect(x, front, right, foot, shade(wall, 0.7))
        canvas.rect(x + 14, front + 18, right - 60, foot - 12, shade(glass, 0.92))
        for pane in np.arange(x + 14, right - 62, 40):
            canvas.rect(pane, front + 18, pane + 3, foot - 12, shade(wall, 0.5))
        canvas.rect(right - 48, front + 18, right - 16, foot, shade(wall, 0.42))
        canvas.rect(right - 43, front + 24, right - 21, foot - 26, mix(glass, wall, 0.3))
        awning = hsv(rng.random(), rng.uniform(0.3, 0.65), rng.uniform(0.5, 0.9))
        if rng.random() < 0.6:
            stripes = max(2, int((width - 20) // 18))
            wide = (width - 20) / stripes
            for index in range(stripes):
                ax = x + 10 + index * wide
                canvas.polygon([(ax, front + 6), (ax + wide, front + 6), (ax + wide, front + 24), (ax, front + 24)],
                               awning if index % 2 else mix(awning, (240, 240, 240), 0.75))
        else:
            canvas.rect(x + 10, front + 3, right - 10, front + 17, awning)

    def _ground(self, rng, canvas):
        palette, horizon, kerb, edge = self.palette, self.horizon, self.kerb, self.edge
        walk = palette.walk
        vanish = WIDTH * rng.uniform(0.35, 0.65)
        canvas.rect(0, horizon, WIDTH, kerb, shade(walk, 0.92))
        canvas.rect(0, edge, WIDTH, HEIGHT, walk)
        for top, bottom, step in ((horizon, kerb, 46), (edge, HEIGHT, 92)):
            for x in np.arange(-14 * step, WIDTH + 14 * step, step):
                spread = (bottom - top) * 0.9
                slope = (x - vanish) / WIDTH
                canvas.polygon([(x, top), (x + 1.6, top), (x + 2.4 + slope * spread, bottom), (x + slope * spread, bottom)],
                               shade(walk, 0.84))
        canvas.rect(0, (horizon + kerb) / 2, WIDTH, (horizon + kerb) / 2 + 1.6, shade(walk, 0.84))
        rows = slice(round(kerb * canvas.scale), round(edge * canvas.scale))
        count = rows.stop - rows.start
        road = np.array(palette.road, np.float32)
        canvas.image[rows] = np.clip(road * np.linspace(0.9, 1.08, count)[:, None, None], 0, 255)
        canvas.rect(0, kerb - 7, WIDTH, kerb, shade(walk, 1.15))
        canvas.rect(0, kerb, WIDTH, kerb + 5, shade(walk, 0.55))
        canvas.rect(0, edge - 4, WIDTH, edge + 9, shade(walk, 1.18))
        canvas.rect(0, edge + 9, WIDTH, edge + 12, shade(walk, 0.8))
        paint = mix(palette.road, (240, 244, 245), 0.72)
        lanes = 2 if rng.random() < 0.6 else 3
        for lane in range(1, lanes):
            y = kerb + (edge - kerb) * (lane / lanes) ** 1.15
            thick = 7 * self.scale_at(y)
            gap = 128 * self.scale_at(y)
            offset = rng.uniform(0, gap)
            for x in np.arange(-gap - offset, WIDTH + gap, gap):
                lean = (x - vanish) / WIDTH * thick
                canvas.polygon([(x, y), (x + gap * 0.5, y), (x + gap * 0.5 + lean, y + thick), (x + lean, y + thick)], paint)
        canvas.rect(0, kerb + 13, WIDTH, kerb + 16, mix(palette.road, paint, 0.7))
        canvas.rect(0, edge - 18, WIDTH, edge - 13, mix(palette.road, paint, 0.7))
        for _ in range(rng.integers(0, 3)):
            x, y = rng.uniform(60, WIDTH - 60), rng.uniform(kerb + 40, edge - 40)
            canvas.ellipse(x, y, 30 * self.scale_at(y), 8 * self.scale_at(y), shade(palette.road, 0.78))

    def _shape(self, rng, canvas):
        colour = hsv(rng.random(), rng.uniform(0, 0.8), rng.uniform(0.1, 1))
        x, y = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT)
        wide, tall = rng.uniform(10, 90), rng.uniform(10, 90)
        style = rng.random()
        if style < 0.3:
            canvas.ellipse(x, y, wide / 2, tall / 2, colour, rng.uniform(0, 180))
        elif style < 0.6:
            canvas.rect(x, y, x + wide, y + tall, colour)
        elif style < 0.8:
            canvas.capsule((x, y), (x + rng.uniform(-120, 120), y + rng.uniform(-120, 120)), 4, 4, colour)
        else:
            canvas.polygon(np.stack([x + rng.uniform(-60, 60, 4), y + rng.uniform(-60, 60, 4)], 1), colour)


# --- scenes ----------------------------------------------------------------------------------


def compose(street, actors, scale, time=0.0, background=None):
    """Draw actors over a street.

    Returns the picture and the labels: a list of (identity, class, x0, y0, x1, y1) with the
    visible extent of each object in design units. Objects that are mostly hidden, mostly
    outside of the picture or tiny have no label.
    """
    image = street.background(scale) if background is None else background.copy()
    canvas = Canvas(scale, image, track=True)
    items = [(y, None, draw) for y, draw in street.furniture] + [(a.depth, a, None) for a in actors]
    items.sort(key=lambda item: item[0])
    drawn = []
    for _, actor, draw in items:
        canvas.begin(0)
        if actor is None:
            draw(canvas, time)
            continue
        canvas.begin(len(drawn) + 1)
        actor.look.draw(canvas, actor.x, actor.y, actor.size, actor.phase, time)
        if canvas.extent is not None:
            drawn.append((actor, canvas.slot, canvas.extent, canvas.count(canvas.slot, canvas.extent)))
    labels = []
    for actor, slot, extent, whole in drawn:
        seen, box = canvas.visible(slot, extent)
        if box is None or seen < MIN_VISIBLE * whole:
            continue
        if box[2] - box[0] >= MIN_SIDE and box[3] - box[1] >= MIN_SIDE:
            labels.append((actor.identity, actor.kind) + box)
    return canvas.image, labels


def random_actors(rng, street):
    """Place a random number of objects on a street and over it."""
    actors = []
    lamps = street.palette.lamps * (rng.random() < 0.7)
    spans = []
    for _ in range(rng.integers(0, 5)):
        y = rng.uniform(street.kerb + 26, street.edge + 10)
        size = 370 * street.scale_at(y) * rng.uniform(0.68, 1.25)
        x = rng.uniform(-0.2 * size, WIDTH + 0.2 * size)
        if any(abs(y - other_y) < 24 and abs(x - other_x) < (size + other_size) * 0.5 for other_x, other_y, other_size in spans):
            continue
        spans.append((x, y, size))
        actors.append(Actor(len(actors), Car.random(rng, lamps), x, y, size, rng.uniform(0, 300)))
    for _ in range(rng.integers(0, 6)):
        where = rng.random()
        if where < 0.4:
            y = rng.uniform(street.horizon + 6, street.kerb)
        elif where < 0.7:
            y = rng.uniform(street.edge + 8, HEIGHT - 6)
        else:
            y = rng.uniform(street.kerb, street.edge)
        size = 205 * street.scale_at(y) * rng.uniform(0.68, 1.35)
        actors.append(Actor(len(actors), Person.random(rng), rng.uniform(-10, WIDTH + 10), y, size, rng.random()))
    for _ in range(rng.integers(0, 4)):
        size = 56 * (180 / 56) ** (rng.random() ** 1.25)
        actors.append(Actor(len(actors), Drone.random(rng, rng.uniform(0, 1)), rng.uniform(0, WIDTH),
                            rng.uniform(20, 0.62 * HEIGHT), size, rng.normal(0, 7)))
    return actors


def letterbox(image, width, height, interpolation=cv2.INTER_AREA):
    """Fit a picture into the detector's input: top left, grey padding. Returns it and the ratio."""
    ratio = min(width / image.shape[1], height / image.shape[0])
    size = round(image.shape[1] * ratio), round(image.shape[0] * ratio)
    result = np.full((height, width, 3), PAD_VALUE, np.uint8)
    result[:size[1], :size[0]] = cv2.resize(image, size, interpolation=interpolation)
    return result, ratio


def compress(rng, image, low, high):
    """Put a picture through lossy block compression of random quality."""
    quality = int(rng.integers(low, high))
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def degrade(rng, image):
    """Vary light and colour and add blur and noise, as cameras and encoders do."""
    if rng.random() < 0.2:
        image = cv2.GaussianBlur(image, (3, 3), rng.uniform(0.4, 0.9))
    gain = rng.uniform(0.75, 1.2) * (1 + rng.normal(0, 0.04, 3))
    pixels = image * gain.astype(np.float32) + np.float32(rng.uniform(-18, 18))
    if rng.random() < 0.5:
        noise = rng.standard_normal(image.shape, dtype=np.float32)
        pixels += noise * np.float32(rng.uniform(0, 6))
    image = np.clip(pixels, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        image = compress(rng, image, 45, 92)
    return image


def random_scenes(rng, width, height, count=3, street=None):
    """Make a few labelled scenes of one street, as the detector sees them.

    Yields (picture, boxes): the picture is height x width x 3, the boxes are rows of class,
    x0, y0, x1, y1 in pixels of that picture.
    """
    street = street or Street.random(rng)
    scale = float(rng.choice((0.5, 0.75, 1.0), p=(0.76, 0.1, 0.14)))
    background = street.background(scale)
    for _ in range(count):
        image, labels = compose(street, random_actors(rng, street), scale, rng.uniform(0, 2), background)
        if rng.random() < 0.35:
            image = compress(rng, image, 35, 90)
        sampling = cv2.INTER_AREA if rng.random() < 0.6 else cv2.INTER_LINEAR
        image, ratio = letterbox(image, width, height, sampling)
        used = round(HEIGHT * scale * ratio)
        image[:used] = degrade(rng, image[:used])
        boxes = np.array([label[1:] for label in labels], np.float32).reshape(-1, 5)
        boxes[:, 1:] *= ratio * scale
        yield image, boxes


def demo_street():
    """Return the street of the demo clip."""
    return Street(seed=25, palette=PALETTES["dusk"])
