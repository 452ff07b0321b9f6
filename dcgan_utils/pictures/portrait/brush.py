"""The brush: smooth curves, tones, an oversampled canvas.

Shapes are closed outlines, arrays of points [N, 2], given in units that `Canvas.pose`
lays on the picture. They are filled without smoothing on a canvas several times the
final size, which is then averaged down: that is what makes the edges soft.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
OVERSAMPLE = 4

_ANGLES = np.linspace(0, 2 * np.pi, 28, endpoint=False)
CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)  # of radius 1, around 0

# What the four points around a piece of a Catmull-Rom curve weigh at its seven steps.
_STEPS = np.linspace(0, 1, 7, endpoint=False)[:, None]
_WEIGHTS = _STEPS ** np.arange(4) @ (
    np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]) / 2
)

_ROW = np.linspace(-1, 1, 48)
_BALL = Image.fromarray(  # a soft round spot, stretched wherever one is wanted
    (255 * np.clip(1 - np.hypot(_ROW, _ROW[:, None]), 0, 1) ** 1.4).astype(np.uint8)
)


def gamma(colour: Colour, power: float) -> Colour:
    """Darken (power > 1) or lighten (< 1) as painters do: shadows grow richer."""
    return tuple(round(255 * (c / 255) ** power) for c in colour)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """The first colour with a share (0..1) of the second."""
    return tuple(round(a + (b - a) * share) for a, b in zip(first, second))


class Tones:
    """One colour of hair or cloth in the steps a cel painter uses."""

    def __init__(self, base: Colour) -> None:
        self.base = base
        self.line = mix(gamma(base, 2.6), (60, 34, 70), 0.15)
        self.edge = mix(gamma(base, 2.1), (70, 44, 84), 0.1)
        self.deep = mix(gamma(base, 1.7), (90, 74, 116), 0.2)
        self.shade = mix(gamma(base, 1.35), (110, 90, 134), 0.1)
        self.light = mix(gamma(base, 0.8), (255, 250, 245), 0.1)
        self.shine = mix(gamma(base, 0.62), (255, 252, 250), 0.42)


def curve(points, closed: bool = False) -> np.ndarray:
    """A smooth (Catmull-Rom) curve through the points."""
    p = np.asarray(points, dtype=float)
    if closed:
        p = np.concatenate([p[-1:], p, p[:2]])
    else:  # a straight way in and out
        p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    fours = np.stack([p[:-3], p[1:-2], p[2:-1], p[3:]], axis=1)
    smooth = (_WEIGHTS @ fours).reshape(-1, 2)
    return smooth if closed else np.concatenate([smooth, p[-2:-1]])


def band(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The outline of the area between two lines that run the same way."""
    return np.concatenate([one, other[::-1]])


def mirror(half) -> np.ndarray:
    """A right-hand half outline, from top to bottom, completed by its mirror image."""
    half = np.asarray(half, dtype=float)
    return band(half, half * (-1, 1))


def ribbon(middle: np.ndarray, width) -> np.ndarray:
    """The outline of a band of the given half width(s) around a curve."""
    along = np.empty_like(middle)
    along[1:-1] = middle[2:] - middle[:-2]
    along[0], along[-1] = middle[1] - middle[0], middle[-1] - middle[-2]
    scale = width / (np.hypot(along[:, 0], along[:, 1]) + 1e-9)
    across = along[:, ::-1] * (-1, 1) * scale[:, None]
    return band(middle + across, middle - across)


# Every lock asks for these two, with few different n.
@cache
def arch(n: int) -> np.ndarray:
    """Rise from 0 to 1 and fall back in n steps: the widths of a spindle."""
    return np.sin(np.linspace(0, np.pi, n))


@cache
def taper(n: int) -> np.ndarray:
    """Half widths of a lock: a narrow root, a full middle, a long pointed tip."""
    t = np.linspace(0, 1, n)
    return np.minimum(0.5 + 1.1 * t, 1 - (np.maximum(t - 0.45, 0) / 0.55) ** 1.25)


class Canvas:
    """An oversampled picture; shapes are placed on it in the units of its pose.

    background: what to paint on, in the final size; line: half its width, in units.
    """

    def __init__(self, background: Image.Image, line: float) -> None:
        self.line = line
        self._corner = (0, 0)  # of what is worked on, within the whole picture
        size = (background.width * OVERSAMPLE, background.height * OVERSAMPLE)
        self.image = background.resize(size, Image.NEAREST)

    def pose(self, unit: float, tilt: float, here, there) -> None:
        """Lay units on the picture, the point here (units) at there (pixels)."""
        angle = np.radians(tilt)
        c, s = unit * np.cos(angle), unit * np.sin(angle)
        self.unit, self._turn = unit, np.array([[c, s], [-s, c]])
        self._origin = there - np.asarray(here) @ self._turn

    def place(self, points) -> np.ndarray:
        """Picture coordinates of points in units."""
        return np.asarray(points) @ self._turn + self._origin

    def fill(self, outline, colour: Colour) -> None:
        """Fill a closed outline."""
        pixels = self.place(outline) - self._corner
        ImageDraw.Draw(self.image).polygon(pixels.ravel().tolist(), colour)

    def oval(self, centre, radii, colour: Colour) -> None:
        """Fill an upright oval."""
        self.fill(CIRCLE * radii + centre, colour)

    def ink(self, outline: np.ndarray, colour: Colour, line: Colour) -> None:
        """Fill an outline and draw a line around it."""
        n = len(outline)
        round_trip = np.concatenate([outline[-1:], outline, outline[:1]])
        ring = ribbon(round_trip, self.line)
        self.fill(ring[1 : n + 1], line)  # which of the two edges is the outer one
        self.fill(ring[n + 3 : -1], line)  # depends on the way the outline runs
        self.fill(outline, colour)

    def stroke(self, points, colour: Colour, width=1.0, start=0.0, end=0.0) -> None:
        """Draw a smooth brush line; start and end are shares of the full width."""
        middle = curve(points)
        swell = np.interp(np.linspace(0, 1, len(middle)), (0, 0.45, 1), (start, 1, end))
        self.fill(ribbon(middle, swell * self.line * width), colour)

    def glow(self, centre, radii, colour: Colour, strength: float) -> None:
        """Lay a soft spot of colour over what is there."""
        x, y = (self.place(centre) - self._corner).tolist()
        w, h = (max(2, round(2 * r * self.unit)) for r in radii)
        fade = [int(i * strength) for i in range(256)]
        spot = _BALL.resize((w, h), Image.BILINEAR).point(fade)
        self.image.paste(colour, (round(x - w / 2), round(y - h / 2)), spot)

    @contextmanager
    def inside(self, outline) -> Iterator[None]:
        """Let everything drawn in the block show only inside the outline."""
        whole, corner = self.image, self._corner
        placed = self.place(outline) - corner
        start = np.maximum(placed.min(0).astype(int), 0)
        end = np.minimum(placed.max(0).astype(int) + 2, whole.size)
        mask = Image.new("L", tuple(end - start))
        ImageDraw.Draw(mask).polygon((placed - start).ravel().tolist(), 255)
        # Draw on a copy of the piece around the outline, and paste that through it.
        self._corner, self.image = corner + start, whole.crop((*start, *end))
        yield
        whole.paste(self.image, tuple(start), mask)
        self._corner, self.image = corner, whole
