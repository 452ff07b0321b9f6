"""The face: ears, cheeks, nose, mouth, eyes and brows."""

import numpy as np

from .brush import CIRCLE, Colour, band, curve, gamma, mirror, mix, ribbon, taper
from .portrait import SIDES, WHITE, Portrait
from .traits import EYE_COLOURS


def paint_face(p: Portrait, fringe: list[tuple[list, float]]) -> None:
    """Paint the ears, the skin with the fringe's shadow, and all features but brows."""
    small, mood = p.small, p.labels.expression
    for side in SIDES if small.ears > 0 or p.tied else ():
        p.ink(CIRCLE * (0.15, 0.25) + (0.98 * side, 0.12), p.skin, p.skin_line)
        p.oval((1.0 * side, 0.14), (0.08, 0.15), gamma(p.skin, 2.2))
    _paint_skin(p, fringe)
    way = 1 if small.turn > 0 else -1
    nose = np.array([(0, 0), (0.04 * way, 0.08), (-0.02 * way, 0.1)])
    line = mix(p.skin_line, (110, 44, 44), 0.6)
    p.stroke(nose + (0.3 * small.turn, 0.6), line, 0.8)
    _paint_mouth(p, line)
    for side in SIDES:
        _paint_eye(p, side, "smile" if mood == "wink" and side != p.side else mood)


def _paint_skin(p: Portrait, fringe: list[tuple[list, float]]) -> None:
    small, chin = p.small, 1.27 + 0.06 * p.small.chin
    half = [(0.92, -0.8), (1.0, -0.2), (1.0, 0.25), (0.94, 0.6), (0.7, 0.93)]
    points = mirror([*half, (0.33, chin - 0.08), (0.06, chin)])
    points[:, 0] += 0.13 * small.turn * np.maximum(points[:, 1], 0) ** 1.5
    outline = curve(points, closed=True)
    p.ink(outline, p.skin, p.skin_line)
    shade = mix(gamma(p.skin, 1.3), (226, 130, 140), 0.14)
    with p.inside(outline):
        for path, width in fringe:
            middle = curve(path) + (-0.05 * small.light, 0.11)
            p.fill(ribbon(middle, width * taper(len(middle))), shade)
        p.glow((-1.1 * np.sign(small.light), 0.5), (0.9, 1.1), shade, 0.75)
        for side in SIDES:
            p.stroke([(side, -0.7), (0.95 * side, 0.2), (0.8 * side, 0.75)], shade, 5)
            at, red = (0.6 * side + 0.2 * small.turn, 0.56), max(small.blush, -0.7)
            p.glow(at, (0.4, 0.26), (248, 120, 110), 0.24 + 0.24 * red)


def _paint_mouth(p: Portrait, line: Colour) -> None:
    mood, w = p.labels.expression, 0.185 + 0.055 * p.small.mouth
    at = np.array((0.22 * p.small.turn, 0.9))
    if mood in ("laugh", "surprised"):
        lip = CIRCLE * (w * 0.5, 0.12) + at + (0, 0.06)
        if mood == "laugh":
            half = mirror([(0, 0), (w, -0.06), (0.6 * w, 0.24), (0, 0.3)])
            lip = curve(half[[0, 1, 2, 3, 5, 6]] + at, closed=True)
        p.ink(lip, (186, 62, 66), line)
        with p.inside(lip):
            p.oval(at + (0, 0.27), (w * 0.9, 0.14), (240, 128, 124))
            if mood == "laugh":
                p.fill(mirror([(w, -0.08), (w, 0.03)]) + at, WHITE)
        return
    bend = {"smile": 0.1, "closed eyes": 0.08, "wink": 0.12, "frown": -0.055}
    x = np.array((-1, -0.55, 0, 0.55, 1))
    arc = np.stack([w * x, bend.get(mood, 0.02) * (0.6 - 1.2 * x * x)], axis=1)
    p.stroke(arc + at, line, 1.2, 0.5, 0.5)
    p.stroke(np.array([(-0.06, 0.14), (0.06, 0.14)]) + at, gamma(p.skin, 1.7), 1.4)


def _paint_eye(p: Portrait, side: int, mood: str) -> None:
    """Paint one eye with its lashes, as the mood has it."""
    at, lash = _eye_units(p, side), mix(p.hair.line, (34, 20, 26), 0.7)
    if mood in ("closed eyes", "wink"):
        arc = [(-1.0, 0.25), (-0.5, 0.62), (0.1, 0.75), (0.65, 0.5), (1.1, 0.0)]
        tick = [(0.7, 0.5), (0.95, 0.6), (1.15, 0.55)]
        if mood == "wink":
            arc = [(-1, 0.55), (-0.55, -0.05), (0.05, -0.25), (0.6, 0), (1.05, 0.6)]
            tick = [(0.75, 0.1), (1.0, 0.0), (1.2, 0.05)]
        p.stroke(at(arc), lash, 2.7, 0.3, 0.4)
        p.stroke(at(tick), lash, 1.2)
        return
    lid = {"sleepy": 0.55, "surprised": -0.06, "frown": 0.12}.get(mood, 0.0)
    upper = np.array([(-1, 0.25), (-0.84, -0.5), (-0.2, -1), (0.52, -0.88), (1, -0.12)])
    upper[:, 1] += lid * np.array((0, 0.75, 1.1, 1.15, 0.5))
    _paint_eyeball(p, at, upper, side, mood)
    _paint_lashes(p, at, upper, lash)


def _eye_units(p: Portrait, side: int):
    """A function from eye units (x to the temple, y down, both -1..1) to head units."""
    small = p.small
    far = max(0.0, side * small.turn)  # the eye on the far side looks narrower
    w = (0.3 + 0.025 * small.eye_w) * (1 - 0.24 * far)
    h, slant = 0.35 + 0.065 * small.eye_h, 0.14 * small.slant * w
    centre = (0.615 * side + (0.17 - 0.05 * far) * small.turn, 0.1)

    def at(points) -> np.ndarray:
        points = np.asarray(points, dtype=float)
        return points * (side * w, h) + points[:, :1] * (0, slant) + centre

    return at


def _paint_eyeball(p: Portrait, at, upper, side: int, mood: str) -> None:
    small, rim = p.small, curve(upper)
    lower = [(0.95, 0.45), (0.66, 0.9), (0, 1.0), (-0.66, 0.86), (-0.94, 0.55)]
    opening = at(np.concatenate([rim, curve([upper[-1], *lower, upper[0]])]))
    dark, middle, bright = EYE_COLOURS[p.labels.eye_colour]
    iris = (0.6, 0.76) if mood == "surprised" else (0.74 + 0.05 * small.iris, 1.0)
    look = np.array((0.13 * small.look * side - 0.06, 0.02))
    shine = -0.24 * side * (1 if small.light > 0 else -1)
    with p.inside(opening):
        p.fill(opening, WHITE)
        p.fill(at(band(rim, rim + (0, 0.36))), (214, 208, 224))
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
            p.fill(at(CIRCLE * np.multiply((wide, high), iris) + look + (x, y)), colour)
        p.fill(at(band(rim, rim + (0, 0.16))), gamma(dark, 1.5))


def _paint_lashes(p: Portrait, at, upper, lash: Colour) -> None:
    thick, iris = 0.32 + 0.06 * p.small.lash, EYE_COLOURS[p.labels.eye_colour][1]
    over = [(-0.1, 0), (-0.1, -0.14), (0, -thick), (0.12, -thick), (0.34, -0.16)]
    p.fill(at(band(curve(upper), curve(upper + over))), lash)
    p.stroke(at([(0.85, -0.3), (1.1, -0.35), (1.38, -0.62)]), lash, 1.5, 1, 0)
    p.stroke(at([(0.95, -0.1), (1.15, 0.0), (1.3, -0.12)]), lash, 1.2, 1, 0)
    p.stroke(at([(1.0, 0.0), (0.95, 0.45), (0.68, 0.88)]), lash, 0.9, 0.9, 0)
    under = [(0.78, 0.8), (0.4, 0.99), (-0.1, 1.02), (-0.55, 0.92)]
    p.stroke(at(under), mix(lash, iris, 0.25), 0.8)
    crease = upper[1:4] + [(0.05, -0.34), (0, -0.36), (0.12, -0.36)]
    p.stroke(at(crease), mix(lash, (200, 120, 100), 0.6), 0.6)


def paint_brows(p: Portrait) -> None:
    """Paint the brows, which show through the fringe as the convention has it."""
    mood = p.labels.expression
    tilt = {"frown": 0.14, "surprised": -0.06, "sleepy": -0.05, "laugh": -0.04}
    tilt = tilt.get(mood, 0.0) + 0.03 * p.small.brow
    y = -0.57 if mood in ("surprised", "laugh") else -0.47
    arc = np.array([(-0.22, 0.02 + tilt), (0.06, -0.06), (0.28, 0.04 - tilt * 0.5)])
    for side in SIDES:
        brow = arc * (side, 1) + (0.6 * side + 0.18 * p.small.turn, y)
        p.stroke(brow, mix(p.hair.line, p.hair.shade, 0.35), 0.9, 0.7, 0)
