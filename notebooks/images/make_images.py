"""Draw the pictures at the head of each lesson and of the README: ``make images``.

faces.png shows sample faces; networks.png and step.png are diagrams; progress.png and
dcgan.gif show what the generator in ``weights/`` drew of its fixed noise.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from PIL import Image

from dcgan_utils.config import course_root
from dcgan_utils.drawing import draw_face, random_labels
from dcgan_utils.figures import COLOUR_D, COLOUR_G, read_frames, save_gif

HERE = Path(__file__).parent
FRAMES = course_root() / "weights" / "class-sample" / "frames"


def draw_faces():
    """Eight sample faces in a row."""
    row = Image.new("RGB", (8 * 132 - 4, 128), "white")
    for i in range(8):
        rng = np.random.default_rng([2026, i])
        face = draw_face(random_labels(rng), rng, size=128)
        row.paste(face, (132 * i, 0))
    row.save(HERE / "faces.png", optimize=True)


def draw_networks():
    """Both networks as boxes whose height is the side and whose width the maps."""
    figure, axes = plt.subplots(2, 1, figsize=(10, 5.4), layout="constrained")
    sides, maps = (1, 4, 8, 16, 32, 64), (100, 512, 256, 128, 64, 3)
    generator = list(zip(sides, maps))
    parts = (
        ("Generator: noise z → picture G(z)", generator, COLOUR_G, None),
        (
            "Discriminator: picture x → D(x)",
            generator[:0:-1],
            COLOUR_D,
            "1\nprobability",
        ),
    )
    for axis, (title, layers, colour, end) in zip(axes, parts):
        x = 0.0
        for side, count in layers:
            height, width = 0.25 + side / 64 * 1.75, 0.14 + np.log2(count + 1) / 10
            axis.add_patch(
                Rectangle((x, -height / 2), width, height, color=colour, alpha=0.75)
            )
            label = f"{count}\n{side}×{side}"
            axis.text(x + width / 2, -1.15, label, ha="center", va="top", fontsize=11)
            x += width + 0.85
            if end or (side, count) != layers[-1]:
                axis.annotate(
                    "", (x - 0.08, 0), (x - 0.77, 0), arrowprops={"arrowstyle": "->"}
                )
        if end:
            axis.add_patch(plt.Circle((x + 0.15, 0), 0.14, color=colour, alpha=0.75))
            axis.text(x + 0.15, -1.15, end, ha="center", va="top", fontsize=11)
        axis.set(xlim=(-0.4, 9.3), ylim=(-1.85, 1.15))
        axis.set_title(title, loc="left")
        axis.set_axis_off()
    figure.savefig(HERE / "networks.png", dpi=110)


def draw_step():
    """One training step: who sees what, and where the gradients go."""
    figure, axis = plt.subplots(figsize=(10, 3.6), layout="constrained")

    def box(x, y, text, colour="0.35"):
        patch = FancyBboxPatch(
            (x - 0.75, y - 0.3), 1.5, 0.6, boxstyle="round,pad=0.05", color=colour
        )
        axis.add_patch(patch)
        axis.text(x, y, text, ha="center", va="center", color="white", fontsize=12)

    def arrow(start, end, colour="0.2", style="-", bend=0.0):
        axis.add_patch(
            FancyArrowPatch(
                start, end, arrowstyle="->", mutation_scale=16, linewidth=1.8,
                color=colour, linestyle=style, connectionstyle=f"arc3,rad={bend}",
            )
        )  # fmt: skip

    box(0, 1, "noise z")
    box(2.4, 1, "generator G", COLOUR_G)
    box(4.8, 1, "fakes G(z)")
    box(4.8, -0.4, "real x")
    box(7.2, 0.3, "discriminator\nD", COLOUR_D)
    box(9.8, 1, "loss of G")
    box(9.8, -0.4, "loss of D")
    for start, end in (
        ((0.85, 1), (1.55, 1)),
        ((3.25, 1), (3.95, 1)),
        ((5.65, 1), (6.4, 0.55)),
        ((5.65, -0.4), (6.4, 0.05)),
        ((8.05, 0.5), (8.95, 0.95)),
        ((8.05, 0.1), (8.95, -0.35)),
    ):
        arrow(start, end)
    arrow((9.8, 1.4), (2.4, 1.4), COLOUR_G, "--", 0.12)
    arrow((9.8, -0.8), (7.2, -0.15), COLOUR_D, "--", -0.25)
    axis.text(
        6.1, 2.02, "gradient through D to G's weights", color=COLOUR_G, ha="center"
    )
    axis.text(7.3, -1.12, "gradient to D's weights", color=COLOUR_D, ha="center")
    axis.set(xlim=(-1, 10.8), ylim=(-1.4, 2.3))
    axis.set_axis_off()
    figure.savefig(HERE / "step.png", dpi=110)


def draw_progress():
    """Eight noise vectors after four epochs each, and the film of all."""
    frames = read_frames(FRAMES)
    side = (frames[0].shape[1] - 7 * 2) // 8
    chosen = np.unique(np.geomspace(1, len(frames), 4).round().astype(int)) - 1
    rows = [frames[i][:side] for i in chosen]
    gap = np.full((2, rows[0].shape[1], 3), 255, np.uint8)
    picture = np.concatenate([part for row in rows for part in (row, gap)][:-1])
    Image.fromarray(picture).save(HERE / "progress.png", optimize=True)
    film = [frame[: 2 * (side + 2)] for frame in frames]
    save_gif(film, HERE / "dcgan.gif")


if __name__ == "__main__":
    draw_faces()
    draw_networks()
    draw_step()
    if FRAMES.exists():
        draw_progress()
