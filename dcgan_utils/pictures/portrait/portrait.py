"""A portrait in the making: the canvas with the colours and habits of its sitter."""

import numpy as np
from PIL import Image

from .brush import Canvas, Tones, gamma, mix
from .traits import HAIR_COLOURS, SKINS, FaceLabels

# fmt: off
_CLOTHES = (
    (250, 250, 252), (66, 76, 120), (190, 66, 74), (92, 88, 98), (244, 206, 210),
    (142, 180, 216), (122, 150, 124), (232, 214, 170), (150, 126, 170), (120, 84, 74),
)
_TRIMS = (
    (214, 60, 76), (60, 80, 160), (250, 196, 84), (240, 150, 180), (96, 170, 150),
    (252, 250, 248), (74, 66, 84),
)
# fmt: on
WHITE = (255, 253, 252)
SIDES = (-1, 1)  # left and right on the picture


def pick(options: tuple, chance: float):
    """The option that a chance in -1..1 points at."""
    return options[int((chance + 1) / 2 * len(options))]


class Portrait(Canvas):
    """What all parts of a face need to know in order to be painted.

    Geometry is in *head units*: the origin lies between the eyes, x points right, y
    down, and 1 is half the width of the face. The chin is near y = 1.3, the crown near
    y = -1.5.
    """

    def __init__(self, labels: FaceLabels, small, background: Image.Image) -> None:
        super().__init__(background, 0.02 + 0.004 * small.line)
        self.labels, self.small, self.style = labels, small, labels.hair_style
        hair = np.array(HAIR_COLOURS[labels.hair_colour]) * (1 + 0.1 * small.value)
        hair += 12 * small.hue * np.array((1.0, -0.2, -1.0))
        hair += (hair.mean() - hair) * (0.08 + 0.12 * small.gloss)
        self.hair = Tones(tuple(np.clip(hair, 8, 250).astype(int).tolist()))
        self.under = Tones(self.hair.deep)  # hair that lies in the shade
        self.cloth = Tones(pick(_CLOTHES, small.clothes))
        self.trim = Tones(pick(_TRIMS, small.trim))
        self.jewel = Tones(pick(_TRIMS, small.jewel))
        self.skin = gamma(SKINS[labels.skin], 0.92 + 0.14 * small.hue)
        self.skin_line = mix(gamma(self.skin, 2.6), (136, 70, 74), 0.42)
        self.side = 1 if small.side > 0 else -1
        self.falls = self.style in ("long", "wavy", "princess cut")
        self.tied = self.style in ("ponytail", "twin tails", "braids", "buns")
        self.sway = np.tan(np.radians(labels.tilt)) * 0.7 + 0.15 * small.wind

    def pose_head(self) -> None:
        """Lay head units on the picture."""
        small, full = self.small, self.image.width
        unit = full * 0.31 * (1 + 0.12 * small.scale)
        eyes = full * np.array((0.5 + 0.05 * small.right, 0.385 + 0.035 * small.down))
        # The head turns about its middle, not the eyes, so that it stays in the frame.
        self.pose(unit, self.labels.tilt, (0, 0.25), eyes + (0, 0.25 * unit))

    def pose_shoulders(self) -> None:
        """Follow a tilt of the head, as posed before, a little, about the neck."""
        neck = self.place((0.1 * self.small.turn, 0.9))
        self.pose(self.unit, 0.3 * self.labels.tilt, (0, 0.9), neck)

    def drop(self, points) -> np.ndarray:
        """Let hair below the cheeks hang towards the ground, whatever the tilt."""
        points = np.array(points, dtype=float)
        points[..., 0] += self.sway * np.maximum(points[..., 1] - 0.4, 0)
        return points
