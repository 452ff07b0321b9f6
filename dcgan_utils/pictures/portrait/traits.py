"""What a face can be: its labels with their values and odds, and the small things.

The *labels* (`FaceLabels`) name what is meant: hair colour and style, eye colour,
expression and so on. The *small things* (scale, shift, the shape of every lock, gaze,
light, ...) are chance. They are all drawn up front, so the same generator state gives
the same small things whatever the labels are: change one label, and only that factor
of the picture changes.
"""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from .brush import Colour

# fmt: off
HAIR_COLOURS: dict[str, Colour] = {
    "brown": (142, 96, 76), "black": (62, 56, 70), "blonde": (240, 208, 140),
    "blue": (92, 116, 190), "pink": (240, 156, 178), "purple": (140, 108, 176),
    "green": (116, 182, 146), "red": (196, 66, 70), "silver": (206, 204, 218),
    "orange": (230, 146, 88), "aqua": (112, 196, 204),
}
HAIR_STYLES = (
    "long", "wavy", "princess cut", "bob", "short", "spiky", "ponytail", "twin tails",
    "braids", "buns",
)
EYE_COLOURS: dict[str, tuple[Colour, Colour, Colour]] = {  # top, middle, glow below
    "blue": ((26, 40, 104), (56, 112, 206), (150, 218, 255)),
    "brown": ((58, 26, 22), (134, 74, 50), (232, 172, 116)),
    "green": ((14, 62, 52), (44, 142, 98), (162, 236, 160)),
    "red": ((84, 10, 28), (198, 38, 56), (255, 152, 128)),
    "purple": ((54, 22, 92), (128, 66, 178), (226, 166, 250)),
    "amber": ((98, 48, 12), (218, 144, 34), (255, 228, 122)),
    "aqua": ((8, 70, 92), (32, 158, 180), (156, 244, 240)),
    "grey": ((44, 44, 62), (108, 112, 138), (204, 212, 230)),
}
EXPRESSIONS = (
    "neutral", "smile", "laugh", "frown", "surprised", "sleepy", "closed eyes", "wink",
)
SKINS: dict[str, Colour] = {
    "porcelain": (255, 241, 232), "fair": (255, 232, 214), "peach": (252, 218, 192),
    "tan": (226, 176, 138), "brown": (172, 120, 90),
}
ACCESSORIES = (
    "none", "bow", "hairband", "glasses", "hairpin", "flower", "cat ears", "headphones",
)
BACKGROUNDS = (
    "white", "pastel", "gradient", "bokeh", "sky", "night", "garden", "room",
)
LABEL_VALUES = {  # what each label can be
    "hair_colour": tuple(HAIR_COLOURS), "hair_style": HAIR_STYLES,
    "eye_colour": tuple(EYE_COLOURS), "expression": EXPRESSIONS, "skin": tuple(SKINS),
    "accessory": ACCESSORIES, "background": BACKGROUNDS,
}
_ODDS = {  # how often each value occurs among random faces, in the order above
    "hair_colour": (24, 17, 13, 11, 10, 9, 5, 7, 6, 6, 3),
    "hair_style": (28, 15, 8, 13, 12, 6, 6, 8, 4, 4),
    "eye_colour": (24, 16, 15, 14, 14, 9, 6, 4),
    "expression": (26, 28, 12, 8, 8, 6, 7, 5),
    "skin": (34, 36, 22, 6, 2),
    "accessory": (50, 10, 9, 6, 8, 7, 5, 5),
    "background": (36, 12, 10, 9, 6, 9, 6, 11),
}
_SMALL_THINGS = (  # in the order in which they are drawn: it decides every face
    "scale", "right", "down", "turn", "hue", "value", "light", "line", "look", "eye_w",
    "eye_h", "slant", "lash", "iris", "brow", "blush", "chin", "mouth", "part", "sweep",
    "fringe", "count", "wind", "length", "side", "ahoge", "gloss", "ears", "clothes",
    "trim", "collar", "tie", "scene", "cast", "jewel", "volume",
)
# fmt: on


@dataclass(frozen=True)
class FaceLabels:
    """The named factors of one face; `LABEL_VALUES` has what each can be.

    `tilt` is the angle of the head in degrees, clockwise, sensibly within -25..25.
    """

    hair_colour: str
    hair_style: str
    eye_colour: str
    expression: str
    skin: str
    accessory: str
    background: str
    tilt: float


def random_labels(rng: np.random.Generator) -> FaceLabels:
    """Draw the labels of one face, each value about as often as in real pictures."""
    names = {}
    for label, values in LABEL_VALUES.items():
        odds = np.array(_ODDS[label])
        names[label] = values[rng.choice(len(values), p=odds / odds.sum())]
    return FaceLabels(**names, tilt=float(np.clip(rng.normal(0, 10), -22, 22)))


def random_small_things(rng: np.random.Generator) -> SimpleNamespace:
    """Draw the small things of one face: all uniform in -1..1, always equally many."""
    chances = rng.uniform(-1, 1, len(_SMALL_THINGS)).tolist()
    return SimpleNamespace(
        **dict(zip(_SMALL_THINGS, chances)),
        locks=rng.uniform(-1, 1, (60, 3)),
        dots=rng.uniform(-1, 1, (14, 3)),
    )
