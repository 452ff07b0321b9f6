"""Draw one labelled cartoon portrait in code: the course's own, licence-free faces.

A face has two parts. The *labels* (`FaceLabels`) name what is meant: hair colour and
style, eye colour, expression and so on. The *small things* (scale, shift, the shape of
every lock, gaze, light, ...) come from a random generator. They are all drawn up
front, so the same generator state gives the same small things whatever the labels are:
change one label, and only that factor of the picture changes.

Geometry is in *head units*: the origin lies between the eyes, x points right, y down,
and 1 is half the width of the face. The chin is near y = 1.3, the crown near y = -1.5.
"""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .brush import (
    CIRCLE,
    Canvas,
    Colour,
    Tones,
    arch,
    band,
    curve,
    gamma,
    mirror,
    mix,
    ramp,
    ribbon,
    taper,
)

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



_ALLOWED = {
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



_CLOTHES = (
    (250, 250, 252), (66, 76, 120), (190, 66, 74), (92, 88, 98), (244, 206, 210),
    (142, 180, 216), (122, 150, 124), (232, 214, 170), (150, 126, 170), (120, 84, 74),
)



_TRIMS = (
    (214, 60, 76), (60, 80, 160), (250, 196, 84), (240, 150, 180), (96, 170, 150),
    (252, 250, 248), (74, 66, 84),
)



_CHANCES = (
    "scale", "right", "down", "turn", "hue", "value", "light", "line", "look", "eye_w",
    "eye_h", "slant", "lash", "iris", "brow", "blush", "chin", "mouth", "part", "sweep",
    "fringe", "count", "wind", "length", "side", "ahoge", "gloss", "ears", "clothes",
    "trim", "collar", "tie", "scene", "cast", "jewel", "volume",
)



# fmt: on
# Raise it with every change that makes the same labels and generator draw other pixels:
# sample faces of another version are then not taken for these.
DRAWING_VERSION = 1


_WHITE = (255, 253, 252)


_UNIT = 0.31  # one head unit as a share of the picture's width, at scale 1


_SIDES = (-1, 1)  # left and right on the picture


@dataclass(frozen=True)
class FaceLabels:
    """The named factors of one face.

    Each name is a value of the like-named collection of this module: `hair_colour` of
    `HAIR_COLOURS`, `hair_style` of `HAIR_STYLES`, and so on. `tilt` is the angle of the
    head in degrees, clockwise, sensibly between -25 and 25.
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
    for factor, values in _ALLOWED.items():
        odds = np.array(_ODDS[factor], dtype=float)
        names[factor] = values[rng.choice(len(values), p=odds / odds.sum())]
    return FaceLabels(**names, tilt=float(np.clip(rng.normal(0, 10), -22, 22)))


def draw_face(
    labels: FaceLabels, rng: np.random.Generator, size: int = 96
) -> Image.Image:
    """Draw one face.

    Args:
        labels: the named factors of the face.
        rng: source of the small things; the same amount is drawn whatever the labels.
        size: width and height of the picture in pixels, at least 16.

    Returns:
        An RGB picture, size by size.

    Raises:
        ValueError: a label has a value that does not exist, or size is too small.
    """
    for factor, values in _ALLOWED.items():
        if getattr(labels, factor) not in values:
            raise ValueError(
                f"{factor} is {getattr(labels, factor)!r}, but it must be one of: "
                f"{', '.join(values)}."
            )
    if size < 16:
        raise ValueError(f"size is {size}, but a face needs at least 16 pixels.")
    # Every small thing is uniform in -1..1.
    small = SimpleNamespace(
        **dict(zip(_CHANCES, rng.uniform(-1, 1, len(_CHANCES)).tolist(), strict=True)),
        locks=rng.uniform(-1, 1, (60, 3)),
        dots=rng.uniform(-1, 1, (14, 3)),
    )
    return _Portrait(labels, small, size).picture()


def _pick(options: tuple, chance: float):
    """The option that a chance in -1..1 points at."""
    return options[min(int((chance + 1) / 2 * len(options)), len(options) - 1)]


def _background(name: str, small: SimpleNamespace, size: int) -> Image.Image:
    """A soft background, painted tiny, so that enlarging it blurs it."""
    hue = small.scene * 3 + np.array((0, 2.1, 4.2)) + small.cast
    pale = tuple((222 + 30 * np.cos(hue)).astype(int).tolist())
    other = tuple((200 + 50 * np.cos(hue + 1.4)).astype(int).tolist())
    leaves = ((206, 232, 170), (70, 122, 84), (252, 214, 226))
    top, bottom, spots = {
        "white": ((255, 255, 255), (255, 255, 255), ()),
        "pastel": (pale, pale, ()),
        "gradient": (other, mix(pale, _WHITE, 0.5), ()),
        "bokeh": (other, pale, (pale, _WHITE, gamma(other, 1.3))),
        "sky": ((86, 156, 228), (206, 234, 252), (_WHITE, (244, 250, 255))),
        "night": ((22, 24, 54), (70, 58, 104), ((92, 84, 150), (40, 40, 84))),
        "garden": ((150, 196, 140), (96, 148, 92), leaves),
        "room": ((190, 164, 142), (140, 112, 98), ((206, 184, 160), (112, 86, 78))),
    }[name]
    image = Image.new("RGB", (1, 2), top)
    image.putpixel((0, 1), bottom)
    image = image.resize((32, 32), Image.BILINEAR)
    draw = ImageDraw.Draw(image)
    for i, (x, y, r) in enumerate(small.dots.tolist() if spots else ()):
        x, y, r = 16 + 17 * x, 16 + 17 * y, 3 + 2 * r
        wide, high = {"sky": (1.8, 1), "room": (0.9, 3)}.get(name, (1, 1))
        shape = draw.rectangle if name == "room" else draw.ellipse
        box = (x - r * wide, y - r * high, x + r * wide, y + r * high)
        shape(box, spots[i % len(spots)])
    return image.filter(ImageFilter.GaussianBlur(1.2)).resize((size, size))


class _Portrait(Canvas):
    """One face in the making; the methods paint it from the back to the front."""

    def __init__(self, labels: FaceLabels, small: SimpleNamespace, size: int) -> None:
        background = _background(labels.background, small, size)
        super().__init__(background, 0.02 + 0.004 * small.line)
        self.labels, self.small, self.style = labels, small, labels.hair_style
        hair = np.array(HAIR_COLOURS[labels.hair_colour]) * (1 + 0.1 * small.value)
        hair += 12 * small.hue * np.array((1.0, -0.2, -1.0))
        hair += (hair.mean() - hair) * (0.08 + 0.12 * small.gloss)
        self.hair = Tones(tuple(np.clip(hair, 8, 250).astype(int).tolist()))
        self.under = Tones(self.hair.deep)  # hair that lies in the shade
        self.trim = Tones(_pick(_TRIMS, small.trim))
        self.jewel = Tones(_pick(_TRIMS, small.jewel))
        self.skin = gamma(SKINS[labels.skin], 0.92 + 0.14 * small.hue)
        self.skin_line = mix(gamma(self.skin, 2.6), (136, 70, 74), 0.42)
        self.side = 1 if small.side > 0 else -1
        self.falls = self.style in ("long", "wavy", "princess cut")
        self.tied = self.style in ("ponytail", "twin tails", "braids", "buns")
        self.sway = np.tan(np.radians(labels.tilt)) * 0.7 + 0.15 * small.wind

    def picture(self) -> Image.Image:
        """Paint everything and average it down to the final size."""
        small, full = self.small, self.image.width
        unit, tilt = full * _UNIT * (1 + 0.12 * small.scale), self.labels.tilt
        eyes = full * np.array((0.5 + 0.05 * small.right, 0.385 + 0.035 * small.down))
        # The head turns about its middle, not the eyes, so that it stays in the frame.
        head = (unit, tilt, (0, 0.25), eyes + (0, 0.25 * unit))
        self.pose(*head)
        self.back_hair()
        neck = self.place((0.1 * small.turn, 0.9))
        self.pose(unit, 0.3 * tilt, (0, 0.9), neck)  # shoulders follow a tilt little
        self.body()
        self.pose(*head)
        fringe = self.fringe()
        self.face(fringe)
        self.front_hair(fringe)
        self.brows()
        self.accessory()
        # A slight cast of coloured light over the whole picture, as at dusk or indoors.
        warm = np.sign(small.cast) * max(abs(small.cast) - 0.5, 0)
        light = 1 - np.maximum((-0.05 * warm, 0.04 * abs(warm), 0.3 * warm), 0)
        table = np.round(np.outer(light, np.arange(256))).astype(int).ravel().tolist()
        return self.averaged().point(table)

    def drop(self, points) -> np.ndarray:
        """Let hair below the cheeks hang towards the ground, whatever the tilt."""
        p = np.array(points, dtype=float)
        p[:, 0] += self.sway * np.maximum(p[:, 1] - 0.4, 0)
        return p

    def lock(self, points, width, k, ring=0.0, edge=0.45, tones=None) -> None:
        """One pointed lock of hair, root first.

        `k` picks its chance details, `ring` is where along it the gloss lies (0: none),
        and from `edge` on it has an outline (above, it melts into the mass of hair).
        """
        tones, chance = tones or self.hair, self.small.locks[k]
        middle = curve(self.drop(points))
        n = len(middle)
        t, half, cut = ramp(n), width * taper(n), round(edge * n)
        outline = ribbon(middle, half)
        shady, lit = outline[:n], outline[n:][::-1]
        if self.small.light * (shady[n // 2, 0] - lit[n // 2, 0]) > 0:
            shady, lit = lit, shady
        brim = half + self.line * np.clip((t - edge) * 4, -0.1, 1)
        self.fill(ribbon(middle[cut:], brim[cut:]), tones.edge)
        self.fill(outline, tones.base)

        def streak(share, start, stop, wide, tone) -> None:
            # A spindle along the lock; share 0 is the shady edge, 1 the lit one.
            piece = slice(max(round(start * n), 0), min(round(stop * n), n))
            span = lit[piece] - shady[piece]
            core, swell = shady[piece] + span * share, wide * arch(len(span))[:, None]
            self.fill(band(core + span * swell, core - span * swell), tone)

        deep = np.interp(t, (0.1, 0.6, 1), (0, 0.36, 0.5))[:, None]
        inner = shady + (lit - shady) * deep
        self.fill(band(shady[cut // 2 :], inner[cut // 2 :]), tones.shade)
        streak(0.36 + 0.14 * chance[2], 0.3, 0.9, 0.035, tones.deep)
        if ring:
            a = ring + 0.03 * chance[1]
            streak(0.58, a - 0.22, a + 0.26, 0.26, tones.light)
            streak(0.86, a - 0.1, a + 0.16, 0.09, tones.light)
            bright = 0.09 + 0.04 * chance[0]
            streak(0.62 + 0.08 * chance[2], a - 0.13, a + 0.14, bright, tones.shine)

    def dome(self) -> list[tuple[float, float]]:
        """The right half of the head of hair, from the crown to beside the eye."""
        v = 0.03 + 0.07 * self.small.volume
        return [(0, -1.52 - v), (0.6, -1.4 - v), (1.08 + v, -1.0), (1.26 + v, -0.4)]

    def back_hair(self) -> None:
        """The hair behind the face and the body."""
        if self.style == "ponytail":
            self.tail(self.side)
        for side in _SIDES:
            if self.style == "twin tails":
                self.tail(side)
            elif self.style == "buns":
                self.bun(side)
        if self.falls:
            self.falling_hair()
        else:
            self.cropped_hair()

    def tail(self, side: int) -> None:
        """A tail of hair, tied above the ear."""
        for k in (0, 3, 1, 2):
            a, b, c = self.small.locks[40 + k + 4 * (side > 0)]
            x = side * (1.25 + 0.17 * k + 0.05 * a)
            path = [(side * 0.9, -0.95), (x, -1.05 + 0.1 * b), (x + side * 0.2, 0.1)]
            path += [(x + side * 0.08 * a, 1.2)]
            path += [(x - side * 0.1 + 0.15 * c, 2.4 + 0.3 * c)]
            self.lock(path, 0.27, k, 0.3, 0.1)
        self.oval((side * 1.06, -0.95), (0.13, 0.2), self.jewel.shade)

    def bun(self, side: int) -> None:
        """A ball of hair, pinned up behind the ear."""
        at = np.array((side * (1.08 + 0.05 * self.small.volume), -1.0))
        self.ink(CIRCLE * 0.44 + at, self.hair.shade, self.hair.line)
        self.oval(at - (0.06 * self.small.light, 0.06), 0.36, self.hair.base)
        arc = np.array([(-0.3, -0.1), (-0.02, -0.24), (0.28, -0.14)])
        self.stroke(at + arc, self.hair.shine, 3)
        self.stroke(at + arc + (0, 0.3), self.hair.deep, 1)

    def falling_hair(self) -> None:
        """The mass of hair that falls down the back."""
        small = self.small
        wave, fan = 0.1 * (self.style == "wavy"), 0.12 + 0.1 * small.length
        wide = 1.27 + 0.1 * small.volume
        half = [*self.dome(), (wide, 0.3), (wide + fan * 0.4 + wave, 0.8)]
        half += [(wide + fan - wave, 1.3), (wide + fan * 1.7 + wave, 1.8)]
        outline = self.drop(mirror(curve([*half, (1.7, 2.4), (1.8, 3.2)])))
        self.ink(outline, self.under.base, self.hair.line)
        for k in range(10):
            a, b, c = small.locks[k]
            x = (k - 4.5) / 4.5 * wide
            path = [(x * 0.9, -0.5), (x, 0.3), (x * 1.05 + wave * a, 0.9)]
            path += [(x * (1.04 + fan) - wave * b, 1.6)]
            path += [(x * (1.1 + fan) + 0.1 * c, 2.7 + 0.4 * a)]
            self.lock(path, 0.25, k, tones=self.hair if abs(x) > 1 else self.under)
        self.nape(outline)

    def cropped_hair(self) -> None:
        """The mass of hair that ends at the neck, as it does where it is tied up."""
        small, style = self.small, self.style
        low = {"bob": 1.2, "short": 0.85, "spiky": 0.65}.get(style, 0.45)
        low, out = low + 0.14 * small.length, 1.1 if self.tied else 1.22
        half = [*self.dome(), (out, 0.2), (out * 0.9, low * 0.75), (0.8, low), (0, low)]
        outline = self.drop(mirror(curve(half)))
        self.ink(outline, self.under.base, self.hair.line)
        self.nape(outline)
        if style in ("spiky", "short"):
            self.spikes()
        if self.tied:
            return
        for k in (0, 5, 1, 4, 2, 3):
            a, b, _ = small.locks[k + 14]
            x = (k - 2.5) / 2.5
            inward = 0.8 if style == "bob" else 0.95
            path = [(x, -0.3), (x * 1.22, 0.2), (x * 1.18, low * 0.7)]
            path += [(x * inward + 0.08 * a, low + 0.15 + 0.14 * b)]
            tones = self.under if abs(x) < 0.7 else self.hair
            self.lock(path, 0.25, k, edge=0.2, tones=tones)

    def nape(self, outline) -> None:
        """Darken the hair behind the neck."""
        with self.inside(outline):
            self.glow((0, 1.1), (1.3, 1.3), self.under.deep, 0.7)

    def spikes(self) -> None:
        """Locks that stand out all around the head."""
        for k in range(15):
            a, b, _ = self.small.locks[k]
            angle = np.pi * (-0.26 + 1.52 * k / 14) + 0.1 * a
            d = np.array((np.cos(angle), -np.sin(angle)))
            reach, lift = 1.33 + 0.07 * b, 0.1
            if self.style == "spiky":
                reach, lift = 1.62 + 0.2 * b, -0.1
            tip = d * reach + (0.1 * self.small.wind, lift)
            self.lock([d * 0.5 - (0, 0.3), d * 1.05 - (0, 0.24), tip], 0.24, k)

    def body(self) -> None:
        """Neck, shoulders and clothes."""
        small, trim = self.small, self.trim
        cloth = Tones(_pick(_CLOTHES, small.clothes))
        neck = [(0.3, 0.7), (0.27, 1.35), (0.38, 1.66), (1.4, 1.95), (1.7, 3)]
        neck = mirror(curve(neck))
        self.ink(neck, self.skin, self.skin_line)
        with self.inside(neck):
            shade = mix(gamma(self.skin, 1.6), (206, 110, 130), 0.2)
            self.oval((0.12 * small.light, 0.95), (0.66, 0.72), shade)
        kind = _pick(("sailor", "shirt", "dress", "high"), small.collar)
        low = {"sailor": 2.3, "shirt": 1.95, "dress": 2.05, "high": 1.62}[kind]
        edge = [(0, low), (0.24, low / 2 + 0.83), (0.42, 1.58)]
        if kind == "dress":
            edge = [(0, low), (0.55, 1.98), (0.8, 1.72)]
        hem = curve([edge[-1], (1.0, 1.78), (1.55, 2.0), (2.0, 2.5), (2.2, 3.4)])
        self.ink(mirror(np.concatenate([curve(edge), hem])), cloth.base, cloth.line)
        for flip in ((-1, 1), (1, 1)):
            fold = np.array([(0.95, 2.05), (1.1, 2.4), (1.0, 3.0)])
            self.stroke(fold * flip, cloth.shade, 4, 0, 1)
            if kind == "sailor":
                flap = [(0, low), (0.42, 1.56), (0.98, 1.78), (0.7, 2.5), (0.2, 2.7)]
                self.ink(np.array(flap) * flip, trim.base, trim.line)
                stripe = np.array([(0.13, 2.5), (0.55, 2.25), (0.84, 1.8)])
                self.stroke(stripe * flip, _WHITE, 1.4, 1, 1)
            elif kind == "shirt":
                flap = np.array([(0, 1.98), (0.34, 1.5), (0.52, 1.62), (0.5, 2.12)])
                self.ink(flap * flip, cloth.light, cloth.line)
        if kind == "high":
            collar = mirror([(0.4, 1.46), (0.44, 1.72), (0, 1.8)])
            self.ink(collar, trim.base, trim.line)
        if kind != "dress" and small.tie > 0.2:
            self.bow((0, low + 0.05), 0.34, cloth if kind == "sailor" else trim)

    def bow(self, centre, size: float, tones: Tones, angle: float = 0.0) -> None:
        """A ribbon bow."""
        c, s = size * np.cos(angle), size * np.sin(angle)
        for side in _SIDES:
            frame = np.array([[c, s], [-s, c]]) * [[side], [1]]
            wing = curve([(0, 0), (0.9, -0.55), (1.15, 0), (0.9, 0.5)], closed=True)
            self.ink(wing @ frame + centre, tones.base, tones.line)
            fold = np.array([(0.1, 0), (0.5, 0.22), (0.95, 0.3)]) @ frame + centre
            self.stroke(fold, tones.shade, 7 * size, 0.6, 0)
        self.ink(CIRCLE * 0.24 * size + centre, tones.light, tones.line)

    def face(self, fringe) -> None:
        """Ears, face, the shadow of the fringe, and the features."""
        small, skin = self.small, self.skin
        for side in _SIDES if small.ears > 0 or self.tied else ():
            ear = CIRCLE * (0.15, 0.25) + (0.98 * side, 0.12)
            self.ink(ear, skin, self.skin_line)
            self.oval((1.0 * side, 0.14), (0.08, 0.15), gamma(skin, 2.2))
        chin = 1.27 + 0.06 * small.chin
        half = [(0.92, -0.8), (1.0, -0.2), (1.0, 0.25), (0.94, 0.6), (0.7, 0.93)]
        points = mirror([*half, (0.33, chin - 0.08), (0.06, chin)])
        points[:, 0] += 0.13 * small.turn * np.maximum(points[:, 1], 0) ** 1.5
        outline = curve(points, closed=True)
        self.ink(outline, skin, self.skin_line)
        shade = mix(gamma(skin, 1.3), (226, 130, 140), 0.14)
        with self.inside(outline):
            for path, width in fringe:
                middle = curve(path) + (-0.05 * small.light, 0.11)
                self.fill(ribbon(middle, width * taper(len(middle))), shade)
            self.glow((-1.1 * np.sign(small.light), 0.5), (0.9, 1.1), shade, 0.75)
            for side in _SIDES:
                cheek = [(side, -0.7), (0.95 * side, 0.2), (0.8 * side, 0.75)]
                self.stroke(cheek, shade, 5)
                at, red = (0.6 * side + 0.2 * small.turn, 0.56), max(small.blush, -0.7)
                self.glow(at, (0.4, 0.26), (248, 120, 110), 0.24 + 0.24 * red)
        way = 1 if small.turn > 0 else -1
        nose = np.array([(0, 0), (0.04 * way, 0.08), (-0.02 * way, 0.1)])
        line = mix(self.skin_line, (110, 44, 44), 0.6)
        self.stroke(nose + (0.3 * small.turn, 0.6), line, 0.8)
        self.mouth(line)
        for side in _SIDES:
            how = self.labels.expression
            if how == "wink" and side != self.side:
                how = "smile"  # the other eye
            self.eye(side, how)

    def mouth(self, line: Colour) -> None:
        """The mouth of the expression."""
        mood, w = self.labels.expression, 0.185 + 0.055 * self.small.mouth
        at = np.array((0.22 * self.small.turn, 0.9))
        if mood in ("laugh", "surprised"):
            lip = CIRCLE * (w * 0.5, 0.12) + at + (0, 0.06)
            if mood == "laugh":
                lip = mirror([(0, 0), (w, -0.06), (0.6 * w, 0.24), (0, 0.3)])
                lip = curve(lip[[0, 1, 2, 3, 5, 6]] + at, closed=True)
            self.ink(lip, (186, 62, 66), line)
            with self.inside(lip):
                self.oval(at + (0, 0.27), (w * 0.9, 0.14), (240, 128, 124))
                if mood == "laugh":
                    self.fill(mirror([(w, -0.08), (w, 0.03)]) + at, _WHITE)
            return
        bend = {"smile": 0.1, "closed eyes": 0.08, "wink": 0.12, "frown": -0.055}
        bend = bend.get(mood, 0.02)
        x = np.array((-1, -0.55, 0, 0.55, 1))
        arc = np.stack([w * x, bend * (0.6 - 1.2 * x * x)], axis=1)
        self.stroke(arc + at, line, 1.2, 0.5, 0.5)
        below = np.array([(-0.06, 0.14), (0.06, 0.14)])
        self.stroke(below + at, gamma(self.skin, 1.7), 1.4)

    def eye(self, side: int, how: str) -> None:
        """One eye with its lashes; how is the expression that it takes part in."""
        small, lash = self.small, mix(self.hair.line, (34, 20, 26), 0.7)
        far = max(0.0, side * small.turn)  # the eye on the far side looks narrower
        w = (0.3 + 0.025 * small.eye_w) * (1 - 0.24 * far)
        h = 0.35 + 0.065 * small.eye_h
        centre = (0.615 * side + (0.17 - 0.05 * far) * small.turn, 0.1)

        def at(points) -> np.ndarray:  # eye units: x towards the temple, both -1..1
            p = np.asarray(points, dtype=float)
            return p * (side * w, h) + p[:, :1] * (0, 0.14 * small.slant * w) + centre

        if how in ("closed eyes", "wink"):
            arc = [(-1.0, 0.25), (-0.5, 0.62), (0.1, 0.75), (0.65, 0.5), (1.1, 0.0)]
            tick = [(0.7, 0.5), (0.95, 0.6), (1.15, 0.55)]
            if how == "wink":
                arc = [(-1, 0.55), (-0.55, -0.05), (0.05, -0.25), (0.6, 0), (1.05, 0.6)]
                tick = [(0.75, 0.1), (1.0, 0.0), (1.2, 0.05)]
            self.stroke(at(arc), lash, 2.7, 0.3, 0.4)
            self.stroke(at(tick), lash, 1.2)
            return
        upper = [(-1, 0.25), (-0.84, -0.5), (-0.2, -1), (0.52, -0.88), (1, -0.12)]
        upper = np.array(upper)
        lid = {"sleepy": 0.55, "surprised": -0.06, "frown": 0.12}.get(how, 0.0)
        upper[:, 1] += lid * np.array((0, 0.75, 1.1, 1.15, 0.5))
        lower = [(0.95, 0.45), (0.66, 0.9), (0, 1.0), (-0.66, 0.86), (-0.94, 0.55)]
        rim = curve(upper)
        opening = at(np.concatenate([rim, curve([upper[-1], *lower, upper[0]])]))
        dark, middle, bright = EYE_COLOURS[self.labels.eye_colour]
        rx, ry = (0.6, 0.76) if how == "surprised" else (0.74 + 0.05 * small.iris, 1.0)
        look = np.array((0.13 * small.look * side - 0.06, 0.02))
        shine = -0.24 * side * (1 if small.light > 0 else -1)
        with self.inside(opening):
            self.fill(opening, _WHITE)
            self.fill(at(band(rim, rim + (0, 0.36))), (214, 208, 224))
            for x, y, wide, high, colour in (
                (0, 0, 1, 1, gamma(dark, 1.2)),
                (0, 0.05, 0.88, 0.88, mix(dark, middle, 0.35)),
                (0, 0.24, 0.84, 0.7, mix(dark, middle, 0.75)),
                (0, 0.36, 0.76, 0.56, middle),
                (0, 0.5, 0.66, 0.4, mix(middle, bright, 0.5)),
                (0, 0.6, 0.5, 0.26, bright),
                (0, 0, 0.44, 0.38, gamma(dark, 1.6)),
                (shine, -0.42, 0.36, 0.27, (255, 255, 255)),
                (-1.1 * shine, 0.46, 0.18, 0.14, (255, 255, 255)),
            ):
                self.fill(at(CIRCLE * (wide * rx, high * ry) + look + (x, y)), colour)
            self.fill(at(band(rim, rim + (0, 0.16))), gamma(dark, 1.5))
        thick = 0.32 + 0.06 * small.lash
        over = [(-0.1, 0), (-0.1, -0.14), (0, -thick), (0.12, -thick), (0.34, -0.16)]
        self.fill(at(band(rim, curve(upper + over))), lash)
        self.stroke(at([(0.85, -0.3), (1.1, -0.35), (1.38, -0.62)]), lash, 1.5, 1, 0)
        self.stroke(at([(0.95, -0.1), (1.15, 0.0), (1.3, -0.12)]), lash, 1.2, 1, 0)
        self.stroke(at([(1.0, 0.0), (0.95, 0.45), (0.68, 0.88)]), lash, 0.9, 0.9, 0)
        under = [(0.78, 0.8), (0.4, 0.99), (-0.1, 1.02), (-0.55, 0.92)]
        self.stroke(at(under), mix(lash, middle, 0.25), 0.8)
        crease = upper[1:4] + [(0.05, -0.34), (0, -0.36), (0.12, -0.36)]
        self.stroke(at(crease), mix(lash, (200, 120, 100), 0.6), 0.6)

    def brows(self) -> None:
        """The brows, which show through the fringe as the convention has it."""
        mood = self.labels.expression
        tilt = {"frown": 0.14, "surprised": -0.06, "sleepy": -0.05, "laugh": -0.04}
        tilt = tilt.get(mood, 0.0) + 0.03 * self.small.brow
        y = -0.57 if mood in ("surprised", "laugh") else -0.47
        for side in _SIDES:
            arc = [(-0.22, 0.02 + tilt), (0.06, -0.06), (0.28, 0.04 - tilt * 0.5)]
            arc = np.array(arc) * (side, 1) + (0.6 * side + 0.18 * self.small.turn, y)
            self.stroke(arc, mix(self.hair.line, self.hair.shade, 0.35), 0.9, 0.7, 0)

    def fringe(self) -> list[tuple[list, float]]:
        """The locks over the forehead, undermost first, as (points, width)."""
        small, locks = self.small, []
        count = 5 + int((small.count + 1) * 1.5)
        part = np.array((0.5 * small.part + 0.12 * small.turn, -1.36))
        for k in range(count):
            a, b, c = small.locks[k + 20]
            x = (k - (count - 1) / 2) / (count - 1) * 1.8 + 0.1 * a
            # Locks hang lowest at the temples and, sometimes, between the eyes; a
            # parted fringe bares the forehead instead.
            y = -0.2 + 0.5 * abs(x) ** 2.2 + 0.2 * b
            lean, width = 0.3 * small.sweep + 0.1 * c - 0.1 * x, 1.5 + 0.45 * c
            near = np.exp(-(((x - 0.5 * part[0]) / 0.25) ** 2))
            if self.style == "princess cut":
                y, lean, width = -0.2 + 0.1 * x * x + 0.03 * b, 0.0, 1.9
            elif small.fringe < -0.3:
                y -= 0.4 * near
                lean += 0.25 * near * (1 if x > 0.5 * part[0] else -1)
            else:
                y += 0.3 * near * small.fringe
            x, y = x + 0.12 * small.turn, max(y, -0.42)
            over = (x * 1.04 + 0.1 * part[0], -0.98 + 0.3 * x * x)
            bend = (x * 1.04 + 0.1 * lean, 0.5 * (over[1] + y))
            path = [part + (0.35 * x, 0.1 * abs(x)), over, bend, (x + lean, y)]
            locks.append((path, width / count))
        return sorted(locks, key=lambda lock: -abs(lock[0][-1][0] - part[0]))

    def front_hair(self, fringe) -> None:
        """Crown, the locks that frame the face, and the fringe."""
        small, hair = self.small, self.hair
        dome = curve([*self.dome(), (1.24, -0.05)])
        line = curve([(1.24, -0.05), (0.95, -0.25), (0.6, -0.62), (0, -0.72)])
        arc = np.concatenate([dome[::-1] * (-1, 1), dome])
        self.fill(ribbon(arc, self.line), hair.line)
        self.fill(mirror(np.concatenate([dome, line])), hair.base)
        for side in _SIDES:
            if self.falls:
                self.shoulder_locks(side)
            elif self.style == "braids":
                self.braid(side)
            self.cheek_locks(side)
        for k, (path, width) in enumerate(fringe):
            self.lock(path, width, k + 9, 0.36 + 0.05 * small.gloss, 0.6)
        self.glow((-0.35 * np.sign(small.light), -1), (0.85, 0.42), hair.shine, 0.34)
        if small.ahoge > 0.3:  # a strand that will not lie down
            x = 0.2 * small.part
            path = [(x, -1.42), (x + 0.02, -1.75), (x + 0.4 * small.wind, -1.72)]
            self.lock(path, 0.07, 3, edge=0.1)

    def shoulder_locks(self, side: int) -> None:
        """Two long locks in front of the shoulder."""
        wave = 0.16 if self.style == "wavy" else 0.02
        for k in range(2):
            a, b, c = self.small.locks[50 + k + 3 * (side > 0)]
            x = side * (1.27 - 0.12 * k)
            path = [(side, -0.9), (x, -0.2), (x + wave * a, 0.6), (x - wave * a, 1.2)]
            path += [(x + wave * b, 1.8), (x + 0.15 * c, 2.5 + 0.3 * c - 0.35 * k)]
            self.lock(path, 0.22, k, 0.2, 0.3)

    def braid(self, side: int) -> None:
        """A braid: left and right turns, each laid over the one before."""
        light, hair = self.small.light, self.hair
        for k in range(8):
            way = 1 if k % 2 else -1
            at = self.drop([(side * 1.1 + 0.09 * way, 0.72 + 0.2 * k)])[0]
            turn = CIRCLE * (0.2, 0.15) @ [(0.8, 0.6 * way), (-0.6 * way, 0.8)]
            self.ink(turn + at, hair.shade, hair.line)
            self.fill(turn * 0.72 + at - (0.03 * light, 0.03), hair.base)
            self.fill(turn * (0.4, 0.25) + at - (0, 0.05), hair.light)

    def cheek_locks(self, side: int) -> None:
        """Two locks beside the cheek."""
        reach = {
            "short": 0.55,
            "spiky": 0.45,
            "bob": 1.1,
            "princess cut": 0.9,
            "buns": 0.95,
        }.get(self.style, 1.3) + 0.22 * self.small.length
        for k in range(2):
            a, b, c = self.small.locks[30 + k + 3 * (side > 0)]
            x = side * (1.07 - 0.06 * k + 0.03 * a)
            path = [(side * 0.62, -1.15), (x * 1.05, -0.5), (x * 1.03, 0.15)]
            low = reach - 0.3 * k + 0.12 * c
            path += [(side * (1.0 - 0.05 * k + 0.08 * b), low)]
            self.lock(path, 0.16 - 0.03 * k, k + 7, 0.25)

    def accessory(self) -> None:
        """What is worn on the head."""
        name, tones, s, hair = self.labels.accessory, self.jewel, self.side, self.hair
        x = 0.2 * self.small.turn
        if name == "bow":
            self.bow((0.92 * s, -0.92), 0.48, tones, 0.6 * s)
        elif name in ("hairband", "headphones"):
            hoop = [(1.27, -0.2), (0.95, -0.98), (0, -1.36)]
            hoop = curve([*hoop, (-0.95, -0.98), (-1.27, -0.2)])
            wide = 0.09 * arch(len(hoop)) ** 0.4
            self.fill(ribbon(hoop, wide + self.line), tones.line)
            self.fill(ribbon(hoop, wide), tones.base)
            self.fill(ribbon(hoop[6:-6] - (0, 0.03), 0.025), tones.light)
        elif name == "glasses":
            for side in _SIDES:
                loop = np.concatenate([CIRCLE, CIRCLE[:1]]) * (0.37, 0.36)
                middle = 0.6 * side + x
                self.fill(ribbon(loop + (middle, 0.14), 1.1 * self.line), tones.line)
                arm = [(middle + 0.36 * side, 0.1), (middle + 0.5 * side, 0.06)]
                self.stroke(arm, tones.line, 1.2, 1, 1)
            bridge = [(x - 0.24, 0.1), (x, 0.06), (x + 0.24, 0.1)]
            self.stroke(bridge, tones.line, 1, 1, 1)
        elif name == "hairpin":
            for y in (-0.62, -0.48):
                pin = [(0.66 * s, y), (0.82 * s, y + 0.05), (0.98 * s, y + 0.14)]
                self.stroke(pin, tones.line, 3.2, 1, 1)
                self.stroke(pin, tones.light, 2, 1, 1)
        elif name == "flower":
            at = np.array((0.86 * s, -0.72))
            for k in range(5):
                a = 2 * np.pi * k / 5 + self.small.wind
                petal = CIRCLE * 0.13 + at + (0.17 * np.cos(a), 0.17 * np.sin(a))
                self.ink(petal, tones.light, tones.shade)
            self.oval(at, 0.09, (250, 214, 110))
        for flip in ((-1, 1), (1, 1)):
            if name == "headphones":
                for size, tone in ((1, tones.base), (0.55, tones.light)):
                    cup = CIRCLE * (0.17 * size, 0.3 * size) + (1.22, 0.08)
                    self.ink(cup * flip, tone, tones.line)
            elif name == "cat ears":
                ear = [(0.5, -1.28), (0.72, -1.55), (1.22, -1.78), (1.4, -1.2)]
                ear = curve([*ear, (1.3, -0.62)])
                self.fill(ribbon(ear * flip, self.line), hair.line)
                self.fill(ear * flip, hair.base)
                self.fill((ear * 0.66 + (0.32, -0.4)) * flip, (250, 196, 198))
                tuft = [(0.6, -1.1), (0.9, -1.1), (1.06, -1.3), (1.08, -1.0)]
                tuft = np.array([*tuft, (1.26, -0.9), (1.1, -0.7)])
                self.fill(tuft * flip, hair.base)
