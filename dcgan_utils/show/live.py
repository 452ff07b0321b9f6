"""The live view: one figure that is drawn anew while training runs."""

import time

from .curves import draw_losses
from .grids import make_grid


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
