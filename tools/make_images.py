"""Draw the pictures at the head of each lesson and of the README: ``make images``.

faces.png shows sample faces; networks.png, step.png and others are diagrams;
progress.png and dcgan.gif show what the generator in ``weights/`` drew of its fixed
noise.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from PIL import Image

from dcgan_utils.pictures.portrait import draw_face, random_labels
from dcgan_utils.settings import course_root
from dcgan_utils.show.curves import COLOUR_D, COLOUR_G
from dcgan_utils.show.grids import read_frames
from dcgan_utils.taught.results import save_gif

HERE = Path(__file__).parents[1] / "notebooks" / "images"
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


def draw_workers():
    """Two workers: each its half of the batch, one mean of the gradients for both."""
    figure, axis = plt.subplots(figsize=(10, 3.9), layout="constrained")
    colours = "#009E73", "#CC79A7"

    def box(x, y, text, colour, width=1.75):
        patch = FancyBboxPatch(
            (x - width / 2, y - 0.33), width, 0.66, boxstyle="round,pad=0.05",
            facecolor=(colour, 0.25), edgecolor=colour, linewidth=2.2,
        )  # fmt: skip
        axis.add_patch(patch)
        axis.text(x, y, text, ha="center", va="center", fontsize=11.5)

    def arrow(start, end):
        axis.annotate(
            "", end, start, arrowprops={"arrowstyle": "->", "lw": 1.8, "color": "0.2"}
        )

    box(0.2, 0, "one batch\nof pictures\nand noise", "0.35", 1.5)
    box(7.1, 0, "mean of the\ngradients", "0.35", 1.6)
    for rank, y in enumerate((1.05, -1.05)):
        colour, half = colours[rank], ("first", "second")[rank]
        axis.text(3.7, y * 1.62, f"worker {rank}: one process", ha="center",
                  va="center", color="0.2", fontsize=11)  # fmt: skip
        box(2.5, y, f"the {half} half", colour)
        box(4.9, y, "its gradients\nof G and D", colour)
        box(9.5, y, "the same step,\nthe same weights", colour, 2.1)
        arrow((1.08, y * 0.25), (1.55, y * 0.8))
        arrow((3.45, y), (3.95, y))
        arrow((5.85, y * 0.8), (6.2, y * 0.3))
        arrow((8.0, y * 0.3), (8.35, y * 0.8))
    axis.set(xlim=(-0.75, 10.7), ylim=(-1.95, 1.95))
    axis.set_axis_off()
    figure.savefig(HERE / "workers.png", dpi=110)


def draw_job():
    """A training job: class folders, the commands of a shell, and what they write."""
    figure, axis = plt.subplots(figsize=(10, 2.9), layout="constrained")

    def box(x, y, text, colour="0.25", width=1.7):
        patch = FancyBboxPatch(
            (x - width / 2, y - 0.24), width, 0.48, boxstyle="round,pad=0.06",
            color=colour,
        )  # fmt: skip
        axis.add_patch(patch)
        axis.text(x, y, text, ha="center", va="center", color="white",
                  fontsize=11.5, family="monospace")  # fmt: skip

    def files(x, y, *lines):
        axis.text(x, y, "\n".join(lines), va="center", fontsize=11, linespacing=1.5,
                  family="monospace")  # fmt: skip

    def arrow(start, end):
        axis.annotate(
            "", end, start, arrowprops={"arrowstyle": "->", "lw": 1.8, "color": "0.2"}
        )

    axis.text(0, 3.35, "photos/train/", fontsize=11.5, family="monospace")
    for row, colour in enumerate(("black", "blonde", "pink")):
        y, shown, seed = 2.55 - row * 0.95, 0, 0
        axis.text(0.15, y, f"{colour}/", va="center", fontsize=11, family="monospace")
        while shown < 3:
            seed, rng = seed + 1, np.random.default_rng([8, seed])
            labels = random_labels(rng)
            if labels.hair_colour == colour:
                x = 1.15 + 0.85 * shown
                face = np.asarray(draw_face(labels, rng, size=96).convert("RGB"))
                axis.imshow(face, extent=(x, x + 0.78, y - 0.39, y + 0.39))
                shown += 1
    box(5.15, 1.6, "dcgan train", COLOUR_D)
    files(6.75, 1.6, "run/", "  step-….ckpt", "  frames/")
    box(9.6, 2.45, "dcgan generate", COLOUR_G, 2.0)
    box(9.6, 0.75, "dcgan export", COLOUR_G, 2.0)
    files(11.15, 2.45, "generate.png")
    files(11.15, 0.75, "generator.mindir", "generator.onnx")
    for start, end in (
        ((3.75, 1.6), (4.2, 1.6)),
        ((6.1, 1.6), (6.65, 1.6)),
        ((8.05, 1.85), (8.5, 2.3)),
        ((8.05, 1.35), (8.5, 0.9)),
        ((10.7, 2.45), (11.1, 2.45)),
        ((10.7, 0.75), (11.1, 0.75)),
    ):
        arrow(start, end)
    axis.set(xlim=(-0.1, 13.5), ylim=(0.1, 3.7), aspect="equal")
    axis.set_axis_off()
    figure.savefig(HERE / "job.png", dpi=110)


def draw_export():
    """One generator, three files, and who reads each of them."""
    figure, axis = plt.subplots(figsize=(10, 3.3), layout="constrained")

    def box(x, y, text, colour, width):
        patch = FancyBboxPatch(
            (x - width / 2, y - 0.3), width, 0.6, boxstyle="round,pad=0.06",
            facecolor=(colour, 0.2), edgecolor=colour, linewidth=2.2,
        )  # fmt: skip
        axis.add_patch(patch)
        axis.text(x, y, text, ha="center", va="center", fontsize=11.5)

    def arrow(start, end, style="-"):
        axis.annotate("", end, start, arrowprops={
            "arrowstyle": "->", "lw": 1.8, "color": "0.2", "linestyle": style,
        })  # fmt: skip

    box(0.9, 1.5, "checkpoint:\nweights, no graph", "0.35", 1.9)
    box(3.6, 1.5, "Generator\n(Python class)", COLOUR_G, 1.7)
    arrow((2.0, 1.5), (2.6, 1.5))
    rows = (
        (2.6, "generator.mindir\ngraph and weights", "MindSpore, MindSpore Lite", "-"),
        (1.5, "generator.onnx\ngraph and weights", "onnxruntime and others", "-"),
        (0.4, "generator.air\nwritten on Ascend only", "CANN's own tools", "--"),
    )
    for y, file, reader, style in rows:
        box(6.9, y, file, COLOUR_D, 2.5)
        box(10.75, y, reader, "#009E73", 3.1)
        arrow((4.6, 1.5 + (y - 1.5) * 0.35), (5.5, y), style)
        arrow((8.3, y), (9.05, y), style)
    axis.set(xlim=(-0.2, 12.5), ylim=(-0.1, 3.1))
    axis.set_axis_off()
    figure.savefig(HERE / "export.png", dpi=110)


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


def draw_roads():
    """Two roads through noise, and the faces on the way (needs the weights)."""
    from dcgan_utils.device import choose_device
    from dcgan_utils.show.grids import make_grid
    from dcgan_utils.taught.latent_space import draw, slerp
    from dcgan_utils.training.checkpoint import newest_checkpoint
    from dcgan_utils.training.sampling import load_generator

    choose_device()
    generator = load_generator(newest_checkpoint(FRAMES.parent))
    rng = np.random.default_rng(2026)
    noise = rng.standard_normal((16, 100))
    t = np.linspace(0, 1, 7)
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(10, 3.4), layout="constrained", width_ratios=(1, 2.1)
    )
    # Lengths as they are; the angle within the one plane that can be shown is free.
    length = np.linalg.norm(rng.standard_normal((1500, 100)), axis=1)
    angle = rng.uniform(0, 2 * np.pi, 1500)
    left.scatter(
        length * np.cos(angle), length * np.sin(angle), s=4, color="0.6", alpha=0.6
    )
    ends = 10 * np.array([[1.0, 0.0], [0.0, 1.0]])
    share = np.linspace(0, 1, 50)
    arc, line = slerp(*ends, share), np.outer(1 - share, ends[0])
    line += np.outer(share, ends[1])
    left.plot(*line.T, color=COLOUR_D, linewidth=3, label="straight")
    left.plot(*arc.T, color=COLOUR_G, linewidth=3, label="spherical")
    left.plot(*ends.T, "o", color="black")
    left.plot(0, 0, "+", color="black")
    left.legend(loc="center", bbox_to_anchor=(0.38, 0.36), frameon=False)
    left.set(title="where noise lies", aspect="equal")
    left.set_axis_off()
    first, last = noise[2], noise[3]
    straight = np.outer(1 - t, first) + np.outer(t, last)
    roads = [straight, slerp(first, last, t)]
    right.imshow(
        make_grid(draw(generator, np.concatenate(roads)), 7), interpolation="lanczos"
    )
    right.set_yticks([32, 98], ["straight", "spherical"], fontsize=12)
    right.set_xticks([])
    right.tick_params(length=0)
    right.spines[:].set_visible(False)
    for text, colour in zip(right.get_yticklabels(), (COLOUR_D, COLOUR_G)):
        text.set_color(colour)
    right.set_title("the faces on both roads")
    figure.savefig(HERE / "latent.png", dpi=110)


def draw_metrics():
    """Real and made faces as points: beside them, a part of them, on top of some."""
    rng = np.random.default_rng(12)
    angle = rng.uniform(0, 2 * np.pi, 160)
    ring = np.stack([np.cos(angle), 0.75 * np.sin(angle)], axis=1)
    real = ring + rng.normal(0, 0.13, ring.shape)
    near = ring[real[:, 0] > 0.45].repeat(2, axis=0)[:70]
    made = {
        "not true": 0.45 * ring[:60] + (0.1, 0) + rng.normal(0, 0.14, (60, 2)),
        "not varied": near + rng.normal(0, 0.12, near.shape),
        "not new": real[:40] + rng.normal(0, 0.008, (40, 2)),
    }
    sees = ("FID and KID see it", "FID, KID and coverage see it",
            "only the test of memory sees it")  # fmt: skip
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.7))
    figure.subplots_adjust(0.01, 0.12, 0.99, 0.9, wspace=0)
    for axis, (title, points), text in zip(axes, made.items(), sees):
        axis.plot(*real.T, "o", color=COLOUR_G, ms=7, alpha=0.55, label="real faces")
        axis.plot(*points.T, "o", color=COLOUR_D, ms=4, label="made faces")
        axis.set_title(title, fontsize=15)
        axis.text(0, -1.28, text, ha="center", fontsize=11.5)
        axis.set(xlim=(-1.6, 1.6), ylim=(-1.35, 1.2), aspect="equal")
        axis.set_axis_off()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="lower center",
                  ncols=2, frameon=False, fontsize=12)  # fmt: skip
    figure.savefig(HERE / "metrics.png", dpi=110)


def draw_features():
    """D's layers, pooled to one row of numbers, and a linear layer on top."""
    figure, axis = plt.subplots(figsize=(10, 3.6), layout="constrained")
    arrow = {"arrowstyle": "-|>", "mutation_scale": 14, "color": "0.3"}
    centre = {"ha": "center", "va": "center", "fontsize": 11}
    rng = np.random.default_rng([2026, 11])
    face = np.asarray(draw_face(random_labels(rng), rng, size=128))
    axis.imshow(face, extent=(0, 1.6, 1.2, 2.8), zorder=2)
    axis.text(0.8, 0.95, "64 × 64 pixels", **centre)
    x, layers = 2.3, ((32, 32, 1.5), (64, 16, 1.15), (128, 8, 0.85), (256, 4, 0.6))
    for maps, side, height in layers:
        box = Rectangle((x, 2 - height / 2), 0.75, height, color=COLOUR_D, alpha=0.75)
        axis.add_patch(box)
        axis.text(x + 0.37, 3.02, f"{maps} maps\n{side} × {side}", **centre)
        ends = (x + 0.37, 2 - height / 2), (x + 0.37, 0.55)
        axis.add_patch(FancyArrowPatch(*ends, **arrow))
        axis.add_patch(Rectangle((x - 0.1, 0.3), 1.1, 0.22, color=COLOUR_D, alpha=0.35))
        axis.text(x + 0.45, 0.41, f"{maps} × 16", ha="center", va="center", fontsize=10)
        x += 1.2
    axis.text(1.05, 0.41, "largest of each\nof 4 × 4 fields", **centre)
    bent = FancyArrowPatch(
        (6.95, 0.41), (8.05, 1.45), connectionstyle="arc3,rad=0.25", **arrow
    )
    axis.add_patch(bent)
    axis.text(8.3, 0.41, "7,680 numbers", **centre)
    box = {"boxstyle": "round,pad=0.5", "facecolor": COLOUR_G, "alpha": 0.2}
    axis.text(8.4, 1.95, "one linear layer,\ntrained on labels", bbox=box, **centre)
    axis.add_patch(FancyArrowPatch((8.4, 2.3), (8.4, 2.75), **arrow))
    axis.text(8.4, 2.95, "hair? eyes? glasses?", **centre)
    axis.text(4.6, 3.5, "the discriminator: never told about hair or eyes",
              color=COLOUR_D, ha="center", fontsize=13)  # fmt: skip
    axis.set(xlim=(-0.1, 9.7), ylim=(0.1, 3.7), aspect="equal")
    axis.set_axis_off()
    figure.savefig(HERE / "features.png", dpi=110)


def draw_failures():
    """The failure zoo of lesson 07: eight panels, each computed here."""
    from dcgan_utils.device import choose_device

    choose_device("cpu")
    import mindspore as ms
    from mindspore import nn

    from dcgan_utils.show.grids import make_grid
    from dcgan_utils.taught.networks import Discriminator, Generator
    from dcgan_utils.taught.results import generate
    from dcgan_utils.taught.training import discriminator_loss, generator_loss
    from dcgan_utils.training.checkpoint import newest_checkpoint
    from dcgan_utils.training.sampling import load_generator
    from dcgan_utils.training.toys import draw_ring, ring_networks, train_briefly

    saved = newest_checkpoint(FRAMES.parent)
    z = np.random.default_rng(42).standard_normal((64, 100, 1, 1), np.float32)
    z, good = ms.Tensor(z), load_generator(saved)
    faces = generate(good, z)
    figure, axes = plt.subplots(2, 4, figsize=(11, 5.9), layout="constrained")
    axes = iter(axes.ravel())

    def panel(title, *rows):
        axis = next(axes)
        axis.set_title(title)
        if rows:
            axis.imshow(make_grid(np.concatenate(rows), 2), interpolation="lanczos")
            axis.set_axis_off()
        return axis

    axis = panel("1 Mode collapse")
    ring_g, ring_d = ring_networks()
    rates = 2e-3, 2e-4
    for _ in train_briefly(ring_g, ring_d, draw_ring(10_000), 900, rates, latent=(16,),
                  batch_size=256):  # fmt: skip
        pass
    noise = np.random.default_rng(1).standard_normal((1000, 16), np.float32)
    axis.scatter(*draw_ring(1000).T, s=2, color="0.7")
    axis.scatter(*ring_g(ms.Tensor(noise)).asnumpy().T, s=2, color=COLOUR_G)
    axis.set(xlim=(-3.6, 3.6), ylim=(-3.6, 3.6), xticks=[], yticks=[], aspect="equal")

    axis = panel("2 Vanishing gradient")
    p = np.geomspace(1e-4, 0.9, 50)
    axis.loglog(p, 1 - p, color="#009E73", linewidth=2, label="−log D")
    axis.loglog(p, p, color="#CC79A7", linewidth=2, label="log(1 − D)")
    axis.set(xlabel="D(G(z))", ylabel="what reaches G")
    axis.legend()

    panel("3 Real pictures in [0, 1]", faces[:2], (faces[:2] + 1) / 2)
    panel("4 Noise drawn anew", faces[8:10], faces[16:18])
    alone = [load_generator(saved).set_train()(z[i : i + 1]) for i in range(2)]
    alone = np.concatenate([face.asnumpy() for face in alone])
    panel("5 Batch norm: wrong mode", faces[:2], alone)
    foggy = load_generator(saved)
    for place, layer in enumerate(foggy.layers):
        if isinstance(layer, nn.BatchNorm2d):
            foggy.layers[place] = nn.BatchNorm2d(layer.num_features, 0.8)
            for name in ("gamma", "beta", "moving_mean", "moving_variance"):
                getattr(foggy.layers[place], name).set_data(getattr(layer, name))
    panel("6 Momentum as epsilon", faces[:2], generate(foggy, z[:2]))

    axis = panel("7 Checkerboard")
    stamps = np.ones(6)
    for _ in range(4):
        spread = np.zeros(2 * len(stamps) + 1)
        for i in range(3):
            spread[i : i + 2 * len(stamps) : 2] += stamps
        stamps = spread[:-1]
    middle = stamps[40:64]
    axis.imshow(np.outer(middle, middle), cmap="viridis")
    axis.set(xticks=[], yticks=[])

    axis = panel("8 Labels swapped")

    def swapped_loss(p_real, p_fake):
        return discriminator_loss(p_fake, p_real)

    ms.set_seed(1)
    small = faces.reshape(64, 3, 32, 2, 32, 2).mean(axis=(3, 5))
    losses = swapped_loss, generator_loss
    networks = Generator(100, 8, 32), Discriminator(8, 32)
    swapped = np.array(list(train_briefly(*networks, small, 80, losses=losses)))
    grid = np.geomspace(1e-2, 20, 100)
    least = -0.5 * np.log(1 - np.exp(-grid))
    axis.fill_between(grid, 1e-3, least, color="0.88")
    axis.text(0.012, 0.8, "impossible with\nright labels", color="0.35")
    axis.loglog(*saved["history"][::8].T[::-1], ".", color=COLOUR_G, markersize=3)
    axis.loglog(*swapped.T[::-1], ".", color=COLOUR_D, markersize=4)
    axis.set(xlim=(1e-2, 20), ylim=(5e-3, 5), xlabel="loss of G", ylabel="loss of D")
    figure.savefig(HERE / "failures.png", dpi=110)


if __name__ == "__main__":
    draw_faces()
    draw_networks()
    draw_step()
    draw_metrics()
    draw_features()
    draw_workers()
    draw_job()
    draw_export()
    if FRAMES.exists():
        draw_roads()
        draw_failures()
        draw_progress()
