"""Pictures side by side: grids, rows with names, the frames of a film."""

from pathlib import Path

import numpy as np
from PIL import Image

from ..files import whole_file
from .curves import COLOUR_G


def to_pixels(pictures):
    """[N, 3, S, S] float in [-1, 1] to [N, S, S, 3] uint8 in 0…255, to look at."""
    pictures = np.clip(np.asarray(pictures) * 127.5 + 127.5, 0, 255)
    return pictures.round().astype(np.uint8).transpose(0, 2, 3, 1)


def make_grid(pictures, columns=8, gap=2) -> np.ndarray:
    """Pictures [N, 3, S, S] in [-1, 1] as one picture [H, W, 3] uint8, row by row."""
    pixels = to_pixels(pictures)
    count, side = pixels.shape[:2]
    rows, step = -(-count // columns), side + gap
    grid = np.full((rows * step - gap, columns * step - gap, 3), 255, np.uint8)
    for i, face in enumerate(pixels):
        y, x = i // columns * step, i % columns * step
        grid[y : y + side, x : x + side] = face
    return grid


def save_picture(grid, path):
    """Write [H, W, 3] uint8 as a PNG, under its final name only when it is whole."""
    with whole_file(path) as part:
        Image.fromarray(grid).save(part, format="PNG")


def show_grid(pictures, title, columns=8, width=8.0):
    """Show pictures [N, 3, S, S] in [-1, 1] as a grid under a title."""
    import matplotlib.pyplot as plt

    grid = make_grid(pictures, columns)
    height = width * grid.shape[0] / grid.shape[1] + 0.4
    _, axes = plt.subplots(figsize=(width, height), layout="constrained")
    axes.imshow(grid)
    axes.set_axis_off()
    axes.set_title(title)
    plt.show()


def show_rows(rows, title, columns=(), ticks=None, side=0.95):
    """Show named rows of pictures under a title, as one small JPEG.

    rows: a dict from a row's name to pictures [N, 3, S, S] in [-1, 1], N alike in all.
    columns: the names above the columns. ticks: a dict like rows to [N] of bool; a ✓
    stands on the picture where it is True. side: of one picture, in inches.
    """
    import io

    import matplotlib.pyplot as plt
    from IPython.display import Image as Show
    from IPython.display import display

    pictures = np.concatenate(list(rows.values()))
    across, step = len(pictures) // len(rows), pictures.shape[-1] + 2
    figure = plt.figure(figsize=(side * across, side * len(rows)))
    axes = figure.add_axes((0, 0, 1, 1))  # the names stand outside, in what tight adds
    axes.imshow(make_grid(pictures, across), interpolation="lanczos")
    axes.set_title(title)
    axes.set_yticks([(i + 0.5) * step for i in range(len(rows))], list(rows))
    middles = [(i + 0.5) * step for i in range(len(columns))]
    axes.set_xticks(middles, columns)
    axes.tick_params(length=0, labeltop=True, labelbottom=False, pad=2)
    axes.spines[:].set_visible(False)
    disc = {"boxstyle": "circle", "facecolor": COLOUR_G, "edgecolor": "white"}
    centred = {"color": "white", "ha": "center", "va": "center", "bbox": disc}
    for y, name in enumerate(ticks or ()):
        for x in np.flatnonzero(ticks[name]):
            axes.text((x + 0.88) * step, (y + 0.13) * step, "✓", **centred)
    file = io.BytesIO()
    options = {"dpi": 100, "bbox_inches": "tight", "pil_kwargs": {"quality": 88}}
    figure.savefig(file, format="jpeg", **options)
    plt.close(figure)
    display(Show(file.getvalue(), format="jpeg", alt=title))


def read_frames(folder) -> list[np.ndarray]:
    """The pictures ``epoch-NNNN`` of a folder in order, each [H, W, 3] uint8."""
    paths = sorted(Path(folder).glob("epoch-*"))
    return [np.asarray(Image.open(path).convert("RGB")) for path in paths]
