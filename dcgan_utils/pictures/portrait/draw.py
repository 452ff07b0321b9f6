"""Draw a face: the background, then its parts from the back to the front."""

from itertools import cycle
from types import SimpleNamespace

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .brush import OVERSAMPLE, gamma, mix
from .face import paint_brows, paint_face
from .hair import paint_back_hair, paint_front_hair, plan_fringe
from .outfit import paint_accessory, paint_body
from .portrait import WHITE, Portrait
from .traits import FaceLabels, random_small_things

# Raise it with every change that makes the same labels and generator draw other pixels:
# sample faces of another version are then not taken for these.
DRAWING_VERSION = 1


def draw_face(
    labels: FaceLabels, rng: np.random.Generator, size: int = 96
) -> Image.Image:
    """Draw one face, an RGB picture of size by size pixels.

    labels: the named factors of the face.
    rng: source of the small things; the same amount is drawn whatever the labels.
    """
    small = random_small_things(rng)
    p = Portrait(labels, small, _background(labels.background, small, size))
    p.pose_head()
    paint_back_hair(p)
    p.pose_shoulders()
    paint_body(p)
    p.pose_head()
    fringe = plan_fringe(p)
    paint_face(p, fringe)
    paint_front_hair(p, fringe)
    paint_brows(p)
    paint_accessory(p)
    return _light(p.image.reduce(OVERSAMPLE), small.cast)


def _background(name: str, small: SimpleNamespace, size: int) -> Image.Image:
    """A soft background, painted tiny, so that enlarging it blurs it."""
    hue = small.scene * 3 + np.array((0, 2.1, 4.2)) + small.cast
    pale = tuple((222 + 30 * np.cos(hue)).astype(int).tolist())
    other = tuple((200 + 50 * np.cos(hue + 1.4)).astype(int).tolist())
    leaves = ((206, 232, 170), (70, 122, 84), (252, 214, 226))
    top, bottom, spots = {
        "white": ((255, 255, 255), (255, 255, 255), ()),
        "pastel": (pale, pale, ()),
        "gradient": (other, mix(pale, WHITE, 0.5), ()),
        "bokeh": (other, pale, (pale, WHITE, gamma(other, 1.3))),
        "sky": ((86, 156, 228), (206, 234, 252), (WHITE, (244, 250, 255))),
        "night": ((22, 24, 54), (70, 58, 104), ((92, 84, 150), (40, 40, 84))),
        "garden": ((150, 196, 140), (96, 148, 92), leaves),
        "room": ((190, 164, 142), (140, 112, 98), ((206, 184, 160), (112, 86, 78))),
    }[name]
    image = Image.new("RGB", (1, 2), top)
    image.putpixel((0, 1), bottom)
    image = image.resize((32, 32), Image.BILINEAR)
    draw = ImageDraw.Draw(image)
    shape = draw.rectangle if name == "room" else draw.ellipse
    wide, high = {"sky": (1.8, 1), "room": (0.9, 3)}.get(name, (1, 1))
    dots = small.dots * (17, 17, 2) + (16, 16, 3)
    for (x, y, r), spot in zip(dots.tolist(), cycle(spots)):
        shape((x - r * wide, y - r * high, x + r * wide, y + r * high), spot)
    return image.filter(ImageFilter.GaussianBlur(1.2)).resize((size, size))


def _light(picture: Image.Image, cast: float) -> Image.Image:
    """Cast slightly coloured light over the whole picture, as at dusk or indoors."""
    warm = np.sign(cast) * max(abs(cast) - 0.5, 0)
    light = 1 - np.maximum((-0.05 * warm, 0.04 * abs(warm), 0.3 * warm), 0)
    table = np.round(np.outer(light, np.arange(256))).astype(int).ravel().tolist()
    return picture.point(table)
