"""The losses of D and G as curves."""

from pathlib import Path

import numpy as np

from ..taught.results import smooth

# Two colours that survive colour blindness and a projector (Okabe and Ito).
COLOUR_D, COLOUR_G = "#D55E00", "#0072B2"


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
