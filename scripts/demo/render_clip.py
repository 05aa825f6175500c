"""Render the demo clip, its sound and its ground truth.

    /usr/bin/python3 scripts/demo/render_clip.py [--clip upload/demo.mp4]
        [--labels test/fixtures/demo.labels.json]

Twenty seconds of a street at dusk. Every movement has a period that divides twenty seconds, so
the clip loops without a seam. A short beep sounds at every even second, exactly when the
traffic light changes, so that the sync of sound and picture can be checked.
"""

import argparse
import json
import math
import os
import subprocess
import tempfile
import wave
from dataclasses import dataclass

import numpy as np

import scene
from scene import Actor, Car, Drone, Person, rgb

FPS = 30
SECONDS = 20
FRAMES = FPS * SECONDS
SAMPLE_RATE = 48000
OUTSIDE = 240  # how far beyond the picture's edges actors start and end


@dataclass
class Mover:
    """An actor that crosses the picture once in each loop, at constant speed."""

    identity: int
    look: object
    y: float
    size: float
    speed: float
    start: float  # when it leaves its starting point

    def x(self, time):
        """Return the position, or None while the actor is away."""
        gone = self.speed * ((time - self.start) % SECONDS)
        if gone > scene.WIDTH + 2 * OUTSIDE:
            return None
        return gone - OUTSIDE if self.look.facing > 0 else scene.WIDTH + OUTSIDE - gone

    def actor(self, time):
        """Return the actor at a moment, or None while it is away."""
        x = self.x(time)
        if x is None:
            return None
        gone = self.speed * ((time - self.start) % SECONDS)
        phase = gone if self.look.kind == scene.CAR else gone / self.look.pace(self.size)
        return Actor(self.identity, self.look, x, self.y, self.size, phase)


def car(shape, paint, facing, taxi=False):
    return Car(shape, rgb(paint), rgb("#3b4a66"), facing, 1.0, 0.8, taxi)


def person(skin, top, legs, hair, facing, **extra):
    return Person(rgb(skin), rgb(top), rgb(legs), rgb(hair), facing, **extra)


def movers(street):
    """Return all cars and walkers."""
    result = []

    def drive(look, y, speed, start):
        result.append(Mover(len(result), look, y, 370 * street.scale_at(y), speed, start))

    def walk(look, y, start, build=1.0, cadence=0.92):
        size = 205 * street.scale_at(y) * build
        result.append(Mover(len(result), look, y, size, look.pace(size) * cadence, start))

    far, near = 492, 596
    drive(car("hatchback", "#e0a82e", -1), far, 215, 15.2)
    drive(car("van", "#e2e4e8", -1), far, 215, 0.3)
    drive(car("sedan", "#3f8f6b", -1), far, 215, 5.6)
    drive(car("coupe", "#c8372d", -1), far, 215, 10.4)
    drive(car("suv", "#2f6fb5", 1), near, 300, 17.2)
    drive(car("sedan", "#f0b429", 1, taxi=True), near, 300, 3.0)
    drive(car("pickup", "#d9682f", 1), near, 300, 8.2)
    drive(car("hatchback", "#8fc1de", 1), near, 300, 12.9)

    walk(person("#f1c9a5", "#c0392b", "#2c3e50", "#2b1d14", 1, long_hair=True, coat=0.16), 400, 13.0)
    walk(person("#7a4b32", "#f4d03f", "#34495e", "#1a1a1f", -1, backpack=rgb("#884ea0")), 405, 18.0, 1.05)
    walk(person("#d9a066", "#2e86c1", "#3b3b45", "#6b4423", 1, bag=True), 406, 4.5, 0.97)
    walk(person("#f1c9a5", "#ecf0f1", "#4a5a78", "#b8893b", -1, stout=1.1), 399, 8.5, 0.98)
    walk(person("#a9714b", "#1abc9c", "#2b2b38", "#1a1a1f", 1, backpack=rgb("#e67e22")), 690, 16.6, 1.02)
    walk(person("#f1c9a5", "#e67e22", "#34495e", "#7c2d1b", -1, long_hair=True, bag=True), 700, 0.5)
    walk(person("#5a3825", "#ecf0f1", "#2c3e50", "#1a1a1f", 1, hat=True, stout=1.12), 684, 6.4, 1.05)
    walk(person("#d9a066", "#884ea0", "#23262c", "#2b1d14", -1, coat=0.2), 697, 11.4, 0.98)
    return result


def drones(time):
    """Return the drones at a moment: one hovers, one flies through."""
    turn = 2 * math.pi * time / SECONDS
    hovering = Actor(20, Drone(rgb("#e4e8ee"), rgb("#9aa4b4"), rgb("#b4bcc8"), tall=1.05),
                     860 + 190 * math.sin(turn), 150 + 34 * math.sin(2 * turn + 1) + 5 * math.sin(11 * turn), 136,
                     8 * math.cos(turn) + 1.5 * math.sin(7 * turn))
    gone = (time - 2.5) % SECONDS / 13
    x = -120 + 1520 * gone
    y = 250 - 130 * math.sin(math.pi * min(gone, 1)) + 8 * math.sin(9 * turn)
    flying = Actor(21, Drone(rgb("#f28c38"), rgb("#54484a"), rgb("#b0aaa6"), tall=1.0), x, y, 92, 9 + 2 * math.sin(5 * turn))
    return [hovering] + ([flying] if gone <= 1 else [])


def waiting(street, time):
    """Return the person who waits at the traffic light and the car parked at the kerb."""
    look = person("#a9714b", "#5d8aa8", "#2c3e50", "#1a1a1f", 1, stride=0.1)
    stand = Actor(22, look, 312, 404, 205 * street.scale_at(404), 0.25 + 0.06 * math.sin(2 * math.pi * time / 5))
    parked = Actor(23, Car("suv", rgb("#6b4a8f"), rgb("#3b4a66"), -1), 1060, 440, 370 * street.scale_at(440))
    return [stand, parked]


def cast(street, crossing, time):
    """Return all actors at a moment."""
    moving = [mover.actor(time) for mover in crossing]
    return [actor for actor in moving if actor is not None] + drones(time) + waiting(street, time)


# --- sound -----------------------------------------------------------------------------------


def band(rng, low, high):
    """Return one loop of noise between two frequencies, with unit power and no seam."""
    count = SAMPLE_RATE * SECONDS
    frequency = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    shape = np.exp(-((np.log(np.maximum(frequency, 1)) - math.log(math.sqrt(low * high))) / math.log(high / low)) ** 2 * 4)
    spectrum = shape / np.sqrt(np.maximum(frequency, 1)) * np.exp(2j * math.pi * rng.random(len(frequency)))
    noise = np.fft.irfft(spectrum, count)
    return noise / noise.std()


def pad(time, notes, start, length, pan):
    """Return a soft chord that swells and fades, as left and right."""
    position = ((time - start) % SECONDS) / length
    swell = np.where(position < 1, np.sin(math.pi * np.minimum(position, 1)) ** 2, 0)
    tone = np.zeros_like(time)
    for note in notes:
        pitch = round(440 * 2 ** ((note - 69) / 12) * SECONDS) / SECONDS
        for partial, level in ((1, 1.0), (2, 0.28), (3, 0.1)):
            tone += level * np.sin(2 * math.pi * pitch * partial * time + note)
    return np.stack([tone * swell * (1 - pan), tone * swell * (1 + pan)], 1) / len(notes)


def soundtrack(crossing):
    """Return the sound as 16-bit stereo samples."""
    rng = np.random.default_rng(7)
    time = np.arange(SAMPLE_RATE * SECONDS) / SAMPLE_RATE
    air = np.stack([band(rng, 120, 900), band(rng, 120, 900)], 1)
    sound = 0.006 * air * (1 + 0.25 * np.sin(2 * math.pi * time / 10))[:, None]
    chords = ((50, 57, 62, 66, 69), (47, 54, 62, 66, 71), (43, 55, 59, 62, 69), (45, 57, 61, 64, 67))
    for index, notes in enumerate(chords):
        sound += 0.035 * pad(time, notes, index * 5 - 1, 7, 0.25 * (-1) ** index)
    tyres = band(rng, 200, 1600)
    for mover in crossing:
        if mover.look.kind == scene.CAR:
            gone = mover.speed * ((time - mover.start) % SECONDS)
            across = (gone - OUTSIDE) / scene.WIDTH * 2 - 1
            across = across if mover.look.facing > 0 else -across
            level = 0.02 * mover.size / 300 * np.exp(-2.2 * across ** 2)
            pan = np.clip(across, -1, 1) * 0.7
            sound += (level * tyres)[:, None] * np.stack([1 - pan, 1 + pan], 1)
    within = time % 2
    ramp = np.clip(np.minimum(within, 0.07 - within) / 0.004, 0, 1)
    sound += (0.09 * np.sin(2 * math.pi * 1000 * within) * ramp)[:, None]
    return np.clip(np.round(sound * 32767), -32768, 32767).astype("<i2")


# --- output ----------------------------------------------------------------------------------


def encoder(sound, clip):
    """Start the encoder; it reads raw BGR pictures."""
    return subprocess.Popen(
        ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{scene.WIDTH}x{scene.HEIGHT}",
         "-r", str(FPS), "-i", "pipe:0", "-i", sound, "-map", "0:v", "-map", "1:a",
         "-vf", "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd,format=yuv420p",
         "-c:v", "libx264", "-preset", "slow", "-profile:v", "high", "-crf", "20", "-maxrate", "2500k", "-bufsize", "2500k",
         "-bf", "0", "-g", "60", "-keyint_min", "60", "-sc_threshold", "0", "-flags", "+cgop", "-threads", "1",
         "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv",
         "-c:a", "aac", "-b:a", "96k", "-ar", str(SAMPLE_RATE), "-ac", "2", "-t", str(SECONDS),
         "-map_metadata", "-1", "-fflags", "+bitexact", "-movflags", "+faststart", clip], stdin=subprocess.PIPE)


def render(clip, labels):
    """Render the clip and write the labels of all frames."""
    street = scene.demo_street()
    street.birds = False  # they would hang still in the sky
    crossing = movers(street)
    background = street.background(1.0)
    truth = []
    with tempfile.TemporaryDirectory() as folder:
        sound = os.path.join(folder, "sound.wav")
        with wave.open(sound, "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(soundtrack(crossing).tobytes())
        process = encoder(sound, clip)
        for frame in range(FRAMES):
            time = frame / FPS
            image, found = scene.compose(street, cast(street, crossing, time), 1.0, time, background)
            process.stdin.write(image.tobytes())
            truth.append([[identity, kind, round(x0), round(y0), round(x1 - x0), round(y1 - y0)]
                          for identity, kind, x0, y0, x1, y1 in found])
        process.stdin.close()
        if process.wait() != 0:
            raise SystemExit("the encoder failed")
    with open(labels, "w", encoding="utf-8") as file:
        json.dump({"width": scene.WIDTH, "height": scene.HEIGHT, "fps": FPS, "frames": FRAMES,
                   "labels": list(scene.LABELS), "objects": truth}, file, separators=(",", ":"))
        file.write("\n")


def main():
    parser = argparse.ArgumentParser(description="Render the demo clip.")
    parser.add_argument("--clip", default="upload/demo.mp4")
    parser.add_argument("--labels", default="test/fixtures/demo.labels.json")
    options = parser.parse_args()
    render(options.clip, options.labels)


if __name__ == "__main__":
    main()
