"""The hair: what lies behind the head, what frames the face, and the fringe."""

import numpy as np

from .brush import CIRCLE, arch, band, curve, mirror, ribbon, taper
from .portrait import SIDES, Portrait

# How far down hair reaches at the neck, where it does not fall, and at the cheeks.
_NECK = {"bob": 1.2, "short": 0.85, "spiky": 0.65}
_CHEEK = {"bob": 1.1, "short": 0.55, "spiky": 0.45, "princess cut": 0.9, "buns": 0.95}


def _paint_lock(p, points, width, k, ring=0.0, edge=0.45, tones=None) -> None:
    """Paint one pointed lock of hair, root first.

    `k` picks its chance details, `ring` is where along it the gloss lies (0: none),
    and from `edge` on it has an outline (above, it melts into the mass of hair).
    """
    tones, (a, b, c) = tones or p.hair, p.small.locks[k]
    middle = curve(p.drop(points))
    n = len(middle)
    t, half, cut = np.linspace(0, 1, n), width * taper(n), round(edge * n)
    outline = ribbon(middle, half)
    shady, lit = outline[:n], outline[n:][::-1]
    if p.small.light * (shady[n // 2, 0] - lit[n // 2, 0]) > 0:
        shady, lit = lit, shady
    brim = half + p.line * np.clip((t - edge) * 4, -0.1, 1)
    p.fill(ribbon(middle[cut:], brim[cut:]), tones.edge)
    p.fill(outline, tones.base)
    deep = np.interp(t, (0.1, 0.6, 1), (0, 0.36, 0.5))[:, None]
    inner = shady + (lit - shady) * deep
    p.fill(band(shady[cut // 2 :], inner[cut // 2 :]), tones.shade)
    # Spindles: how near to the lit edge (0..1), from, to, half width, colour.
    streaks = [(0.36 + 0.14 * c, 0.3, 0.9, 0.035, tones.deep)]
    if ring:
        at = ring + 0.03 * b
        streaks += [
            (0.58, at - 0.22, at + 0.26, 0.26, tones.light),
            (0.86, at - 0.1, at + 0.16, 0.09, tones.light),
            (0.62 + 0.08 * c, at - 0.13, at + 0.14, 0.09 + 0.04 * a, tones.shine),
        ]
    for near, start, stop, wide, tone in streaks:
        piece = slice(max(round(start * n), 0), min(round(stop * n), n))
        span = lit[piece] - shady[piece]
        core, swell = shady[piece] + span * near, wide * arch(len(span))[:, None]
        p.fill(band(core + span * swell, core - span * swell), tone)


def _dome(p: Portrait) -> list[tuple[float, float]]:
    """The right half of the head of hair, from the crown to beside the eye."""
    v = 0.03 + 0.07 * p.small.volume
    return [(0, -1.52 - v), (0.6, -1.4 - v), (1.08 + v, -1.0), (1.26 + v, -0.4)]


def paint_back_hair(p: Portrait) -> None:
    """Paint the hair behind the face and the body."""
    for side in (p.side,) if p.style == "ponytail" else SIDES:
        if p.style in ("ponytail", "twin tails"):
            _paint_tail(p, side)
        elif p.style == "buns":
            _paint_bun(p, side)
    if p.falls:
        _paint_falling_hair(p)
    else:
        _paint_cropped_hair(p)


def _paint_tail(p: Portrait, side: int) -> None:
    """Paint a tail of hair, tied above the ear."""
    for k in (0, 3, 1, 2):
        a, b, c = p.small.locks[40 + k + 4 * (side > 0)]
        x = side * (1.25 + 0.17 * k + 0.05 * a)
        path = [(side * 0.9, -0.95), (x, -1.05 + 0.1 * b), (x + side * 0.2, 0.1)]
        path += [(x + side * 0.08 * a, 1.2), (x - side * 0.1 + 0.15 * c, 2.4 + 0.3 * c)]
        _paint_lock(p, path, 0.27, k, 0.3, 0.1)
    p.oval((side * 1.06, -0.95), (0.13, 0.2), p.jewel.shade)


def _paint_bun(p: Portrait, side: int) -> None:
    """Paint a ball of hair, pinned up behind the ear."""
    at = np.array((side * (1.08 + 0.05 * p.small.volume), -1.0))
    p.ink(CIRCLE * 0.44 + at, p.hair.shade, p.hair.line)
    p.oval(at - (0.06 * p.small.light, 0.06), 0.36, p.hair.base)
    arc = at + [(-0.3, -0.1), (-0.02, -0.24), (0.28, -0.14)]
    p.stroke(arc, p.hair.shine, 3)
    p.stroke(arc + (0, 0.3), p.hair.deep, 1)


def _paint_falling_hair(p: Portrait) -> None:
    """Paint the mass of hair that falls down the back."""
    small = p.small
    wave, fan = 0.1 * (p.style == "wavy"), 0.12 + 0.1 * small.length
    wide = 1.27 + 0.1 * small.volume
    half = [*_dome(p), (wide, 0.3), (wide + fan * 0.4 + wave, 0.8)]
    half += [(wide + fan - wave, 1.3), (wide + fan * 1.7 + wave, 1.8)]
    outline = p.drop(mirror(curve([*half, (1.7, 2.4), (1.8, 3.2)])))
    p.ink(outline, p.under.base, p.hair.line)
    for k in range(10):
        a, b, c = small.locks[k]
        x = (k - 4.5) / 4.5 * wide
        path = [(x * 0.9, -0.5), (x, 0.3), (x * 1.05 + wave * a, 0.9)]
        path += [(x * (1.04 + fan) - wave * b, 1.6)]
        path += [(x * (1.1 + fan) + 0.1 * c, 2.7 + 0.4 * a)]
        _paint_lock(p, path, 0.25, k, tones=p.hair if abs(x) > 1 else p.under)
    with p.inside(outline):
        p.glow((0, 1.1), (1.3, 1.3), p.under.deep, 0.7)


def _paint_cropped_hair(p: Portrait) -> None:
    """Paint the mass of hair that ends at the neck, as it does where it is tied up."""
    low = _NECK.get(p.style, 0.45) + 0.14 * p.small.length
    out = 1.1 if p.tied else 1.22
    half = [*_dome(p), (out, 0.2), (out * 0.9, low * 0.75), (0.8, low), (0, low)]
    outline = p.drop(mirror(curve(half)))
    p.ink(outline, p.under.base, p.hair.line)
    with p.inside(outline):
        p.glow((0, 1.1), (1.3, 1.3), p.under.deep, 0.7)
    if p.style in ("spiky", "short"):
        _paint_spikes(p)
    inward = 0.8 if p.style == "bob" else 0.95
    for k in () if p.tied else (0, 5, 1, 4, 2, 3):
        a, b, _ = p.small.locks[k + 14]
        x = (k - 2.5) / 2.5
        path = [(x, -0.3), (x * 1.22, 0.2), (x * 1.18, low * 0.7)]
        path += [(x * inward + 0.08 * a, low + 0.15 + 0.14 * b)]
        tones = p.under if abs(x) < 0.7 else p.hair
        _paint_lock(p, path, 0.25, k, edge=0.2, tones=tones)


def _paint_spikes(p: Portrait) -> None:
    """Paint locks that stand out all around the head."""
    for k in range(15):
        a, b, _ = p.small.locks[k]
        angle = np.pi * (-0.26 + 1.52 * k / 14) + 0.1 * a
        d = np.array((np.cos(angle), -np.sin(angle)))
        reach, lift = 1.33 + 0.07 * b, 0.1
        if p.style == "spiky":
            reach, lift = 1.62 + 0.2 * b, -0.1
        tip = d * reach + (0.1 * p.small.wind, lift)
        _paint_lock(p, [d * 0.5 - (0, 0.3), d * 1.05 - (0, 0.24), tip], 0.24, k)


def plan_fringe(p: Portrait) -> list[tuple[list, float]]:
    """The locks over the forehead, undermost first, as (points, width)."""
    small, locks = p.small, []
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
        if p.style == "princess cut":
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


def paint_front_hair(p: Portrait, fringe: list[tuple[list, float]]) -> None:
    """Paint the crown, the locks that frame the face, and the fringe."""
    small, hair = p.small, p.hair
    dome = curve([*_dome(p), (1.24, -0.05)])
    line = curve([(1.24, -0.05), (0.95, -0.25), (0.6, -0.62), (0, -0.72)])
    p.fill(ribbon(np.concatenate([dome[::-1] * (-1, 1), dome]), p.line), hair.line)
    p.fill(mirror(np.concatenate([dome, line])), hair.base)
    for side in SIDES:
        if p.falls:
            _paint_shoulder_locks(p, side)
        elif p.style == "braids":
            _paint_braid(p, side)
        _paint_cheek_locks(p, side)
    for k, (path, width) in enumerate(fringe):
        _paint_lock(p, path, width, k + 9, 0.36 + 0.05 * small.gloss, 0.6)
    p.glow((-0.35 * np.sign(small.light), -1), (0.85, 0.42), hair.shine, 0.34)
    if small.ahoge > 0.3:  # a strand that will not lie down
        x = 0.2 * small.part
        path = [(x, -1.42), (x + 0.02, -1.75), (x + 0.4 * small.wind, -1.72)]
        _paint_lock(p, path, 0.07, 3, edge=0.1)


def _paint_shoulder_locks(p: Portrait, side: int) -> None:
    """Paint two long locks in front of the shoulder."""
    wave = 0.16 if p.style == "wavy" else 0.02
    for k in range(2):
        a, b, c = p.small.locks[50 + k + 3 * (side > 0)]
        x = side * (1.27 - 0.12 * k)
        path = [(side, -0.9), (x, -0.2), (x + wave * a, 0.6), (x - wave * a, 1.2)]
        path += [(x + wave * b, 1.8), (x + 0.15 * c, 2.5 + 0.3 * c - 0.35 * k)]
        _paint_lock(p, path, 0.22, k, 0.2, 0.3)


def _paint_braid(p: Portrait, side: int) -> None:
    """Paint a braid: left and right turns, each laid over the one before."""
    light, hair = p.small.light, p.hair
    for k in range(8):
        way = 1 if k % 2 else -1
        at = p.drop((side * 1.1 + 0.09 * way, 0.72 + 0.2 * k))
        turn = CIRCLE * (0.2, 0.15) @ [(0.8, 0.6 * way), (-0.6 * way, 0.8)]
        p.ink(turn + at, hair.shade, hair.line)
        p.fill(turn * 0.72 + at - (0.03 * light, 0.03), hair.base)
        p.fill(turn * (0.4, 0.25) + at - (0, 0.05), hair.light)


def _paint_cheek_locks(p: Portrait, side: int) -> None:
    """Paint two locks beside the cheek."""
    reach = _CHEEK.get(p.style, 1.3) + 0.22 * p.small.length
    for k in range(2):
        a, b, c = p.small.locks[30 + k + 3 * (side > 0)]
        x = side * (1.07 - 0.06 * k + 0.03 * a)
        path = [(side * 0.62, -1.15), (x * 1.05, -0.5), (x * 1.03, 0.15)]
        low = reach - 0.3 * k + 0.12 * c
        path += [(side * (1.0 - 0.05 * k + 0.08 * b), low)]
        _paint_lock(p, path, 0.16 - 0.03 * k, k + 7, 0.25)
