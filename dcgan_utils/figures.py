"""Figures: grids of faces, loss curves, the live view, film strips and the GIF."""

import time
from pathlib import Path

import numpy as np
from PIL import Image

# Two colours that survive colour blindness and a projector (Okabe and Ito).
COLOUR_D, COLOUR_G = "#D55E00", "#0072B2"


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
    path = Path(path)
    part = path.with_suffix(".part")
    try:
        Image.fromarray(grid).save(part, format="PNG")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


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


def smooth(values, window=50):
    """The mean of each value and the window − 1 before it (fewer at the start)."""
    sums = np.concatenate([[0.0], np.cumsum(np.asarray(values, np.float64))])
    ends = np.arange(1, len(sums))
    starts = np.maximum(ends - window, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


def draw_losses(axes, history, steps_per_epoch, window=50):
    """Draw the losses of D and G, [steps, 2], raw and smoothed, over the epochs."""
    epochs = np.arange(1, len(history) + 1) / steps_per_epoch
    for column, name, colour in ((0, "D", COLOUR_D), (1, "G", COLOUR_G)):
        axes.plot(epochs, history[:, column], color=colour, alpha=0.25, linewidth=0.8)
        smoothed = smooth(history[:, column], window)
        label = f"loss of {name}, mean of {window} steps"
        axes.plot(epochs, smoothed, color=colour, linewidth=2, label=label)
    axes.axhline(np.log(2), color="0.4", linestyle=":", label="ln 2: a coin toss")
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.set_ylim(0, max(3.0, float(np.percentile(history, 99)) * 1.1))
    axes.legend(loc="upper left", fontsize="small")


def plot_losses(history, steps_per_epoch, path=None):
    """Plot the losses of D and G, [steps, 2]; write the plot to path if given."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
    draw_losses(axes, history, steps_per_epoch)
    axes.set_title("Losses of the discriminator and the generator")
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=120)
    plt.show()


class LiveView:
    """One figure in a notebook that is drawn anew while training runs."""

    def __init__(self, seconds=20.0):
        self.seconds, self.drawn_at, self.handle = seconds, time.monotonic(), None

    def start(self):
        """Take the place in the notebook, above what the cell prints from now on."""
        from IPython.display import Markdown, display

        self.handle = display(
            Markdown("*The first picture comes soon.*"), display_id=True
        )

    def is_due(self) -> bool:
        """Whether it is time to draw again."""
        return time.monotonic() - self.drawn_at > self.seconds

    def update(self, history, steps_per_epoch, pictures):
        """Draw the losses [steps, 2] beside the faces [N, 3, S, S] of fixed noise."""
        import matplotlib.pyplot as plt

        if self.handle is None:
            self.start()
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(11, 4), layout="constrained", width_ratios=(5, 6)
        )
        draw_losses(left, history, steps_per_epoch)
        left.set_title(f"Losses after {len(history):,} steps")
        right.imshow(make_grid(pictures, columns=6))
        right.set_axis_off()
        right.set_title("The same noise, drawn now")
        self.handle.update(figure)
        plt.close(figure)
        self.drawn_at = time.monotonic()


def read_frames(folder) -> list[np.ndarray]:
    """The pictures ``epoch-NNNN.png`` of a folder in order, each [H, W, 3] uint8."""
    paths = sorted(Path(folder).glob("epoch-*.png"))
    return [np.asarray(Image.open(path).convert("RGB")) for path in paths]


def save_gif(frames, path, seconds=0.6, hold=3.0):
    """Write frames [H, W, 3] uint8 as an endless GIF; the last one stays for hold s.

    A bar below shows how far training has come. It also keeps two equal frames apart,
    which the GIF writer would merge into one.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = []
    for number, frame in enumerate(frames, 1):
        bar = np.full((4, frame.shape[1], 3), 255, np.uint8)
        bar[1:, : frame.shape[1] * number // len(frames)] = (0x00, 0x72, 0xB2)
        pictures.append(Image.fromarray(np.concatenate([frame, bar])))
    times = [int(1000 * seconds)] * (len(pictures) - 1) + [int(1000 * hold)]
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], duration=times, loop=0
    )
    return path
