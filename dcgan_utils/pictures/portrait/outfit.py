"""Shoulders and clothes, and what is worn on the head."""

import numpy as np

from .brush import CIRCLE, Tones, arch, curve, gamma, mirror, mix, ribbon
from .portrait import SIDES, WHITE, Portrait, pick

_NECKLINES = (("sailor", 2.3), ("shirt", 1.95), ("dress", 2.05), ("high", 1.62))


def paint_body(p: Portrait) -> None:
    """Paint neck, shoulders and clothes."""
    neck = mirror(
        curve([(0.3, 0.7), (0.27, 1.35), (0.38, 1.66), (1.4, 1.95), (1.7, 3)])
    )
    p.ink(neck, p.skin, p.skin_line)
    with p.inside(neck):
        shade = mix(gamma(p.skin, 1.6), (206, 110, 130), 0.2)
        p.oval((0.12 * p.small.light, 0.95), (0.66, 0.72), shade)
    cloth, (kind, low) = p.cloth, pick(_NECKLINES, p.small.collar)
    edge = [(0, low), (0.24, low / 2 + 0.83), (0.42, 1.58)]
    if kind == "dress":
        edge = [(0, low), (0.55, 1.98), (0.8, 1.72)]
    hem = curve([edge[-1], (1.0, 1.78), (1.55, 2.0), (2.0, 2.5), (2.2, 3.4)])
    p.ink(mirror(np.concatenate([curve(edge), hem])), cloth.base, cloth.line)
    for side in SIDES:
        fold = np.array([(0.95, 2.05), (1.1, 2.4), (1.0, 3.0)])
        p.stroke(fold * (side, 1), cloth.shade, 4, 0, 1)
        _paint_collar(p, kind, low, side)
    if kind == "high":
        p.ink(mirror([(0.4, 1.46), (0.44, 1.72), (0, 1.8)]), p.trim.base, p.trim.line)
    if kind != "dress" and p.small.tie > 0.2:
        paint_bow(p, (0, low + 0.05), 0.34, cloth if kind == "sailor" else p.trim)


def _paint_collar(p: Portrait, kind: str, low: float, side: int) -> None:
    """Paint one half of the collar, where there is one."""
    if kind == "sailor":
        flap = [(0, low), (0.42, 1.56), (0.98, 1.78), (0.7, 2.5), (0.2, 2.7)]
        p.ink(np.array(flap) * (side, 1), p.trim.base, p.trim.line)
        stripe = np.array([(0.13, 2.5), (0.55, 2.25), (0.84, 1.8)])
        p.stroke(stripe * (side, 1), WHITE, 1.4, 1, 1)
    elif kind == "shirt":
        flap = np.array([(0, 1.98), (0.34, 1.5), (0.52, 1.62), (0.5, 2.12)])
        p.ink(flap * (side, 1), p.cloth.light, p.cloth.line)


def paint_bow(p: Portrait, centre, size: float, tones: Tones, angle=0.0) -> None:
    """Paint a ribbon bow."""
    c, s = size * np.cos(angle), size * np.sin(angle)
    for side in SIDES:
        frame = np.array([[c, s], [-s, c]]) * [[side], [1]]
        wing = curve([(0, 0), (0.9, -0.55), (1.15, 0), (0.9, 0.5)], closed=True)
        p.ink(wing @ frame + centre, tones.base, tones.line)
        fold = np.array([(0.1, 0), (0.5, 0.22), (0.95, 0.3)]) @ frame + centre
        p.stroke(fold, tones.shade, 7 * size, 0.6, 0)
    p.ink(CIRCLE * 0.24 * size + centre, tones.light, tones.line)


def _paint_hoop(p: Portrait) -> None:
    half = [(1.27, -0.2), (0.95, -0.98)]
    hoop = curve([*half, (0, -1.36), (-0.95, -0.98), (-1.27, -0.2)])
    wide = 0.09 * arch(len(hoop)) ** 0.4
    p.fill(ribbon(hoop, wide + p.line), p.jewel.line)
    p.fill(ribbon(hoop, wide), p.jewel.base)
    p.fill(ribbon(hoop[6:-6] - (0, 0.03), 0.025), p.jewel.light)


def _paint_headphones(p: Portrait) -> None:
    _paint_hoop(p)
    for side in SIDES:
        for size, tone in ((1, p.jewel.base), (0.55, p.jewel.light)):
            cup = CIRCLE * (0.17 * size, 0.3 * size) + (1.22, 0.08)
            p.ink(cup * (side, 1), tone, p.jewel.line)


def _paint_glasses(p: Portrait) -> None:
    line, x = p.jewel.line, 0.2 * p.small.turn
    for side in SIDES:
        middle = 0.6 * side + x
        loop = np.concatenate([CIRCLE, CIRCLE[:1]]) * (0.37, 0.36) + (middle, 0.14)
        p.fill(ribbon(loop, 1.1 * p.line), line)
        arm = [(middle + 0.36 * side, 0.1), (middle + 0.5 * side, 0.06)]
        p.stroke(arm, line, 1.2, 1, 1)
    p.stroke([(x - 0.24, 0.1), (x, 0.06), (x + 0.24, 0.1)], line, 1, 1, 1)


def _paint_hairpin(p: Portrait) -> None:
    for y in (-0.62, -0.48):
        pin = np.array([(0.66, y), (0.82, y + 0.05), (0.98, y + 0.14)]) * (p.side, 1)
        p.stroke(pin, p.jewel.line, 3.2, 1, 1)
        p.stroke(pin, p.jewel.light, 2, 1, 1)


def _paint_flower(p: Portrait) -> None:
    at = np.array((0.86 * p.side, -0.72))
    for k in range(5):
        a = 2 * np.pi * k / 5 + p.small.wind
        petal = CIRCLE * 0.13 + at + (0.17 * np.cos(a), 0.17 * np.sin(a))
        p.ink(petal, p.jewel.light, p.jewel.shade)
    p.oval(at, 0.09, (250, 214, 110))


def _paint_cat_ears(p: Portrait) -> None:
    ear = curve([(0.5, -1.28), (0.72, -1.55), (1.22, -1.78), (1.4, -1.2), (1.3, -0.62)])
    tuft = [(0.6, -1.1), (0.9, -1.1), (1.06, -1.3), (1.08, -1.0), (1.26, -0.9)]
    tuft = np.array([*tuft, (1.1, -0.7)])
    for side in SIDES:
        flip = (side, 1)
        p.fill(ribbon(ear * flip, p.line), p.hair.line)
        p.fill(ear * flip, p.hair.base)
        p.fill((ear * 0.66 + (0.32, -0.4)) * flip, (250, 196, 198))
        p.fill(tuft * flip, p.hair.base)


_PAINTERS = {
    "bow": lambda p: paint_bow(p, (0.92 * p.side, -0.92), 0.48, p.jewel, 0.6 * p.side),
    "hairband": _paint_hoop,
    "glasses": _paint_glasses,
    "hairpin": _paint_hairpin,
    "flower": _paint_flower,
    "cat ears": _paint_cat_ears,
    "headphones": _paint_headphones,
}


def paint_accessory(p: Portrait) -> None:
    """Paint what is worn on the head."""
    if p.labels.accessory != "none":
        _PAINTERS[p.labels.accessory](p)
