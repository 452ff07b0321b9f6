"""A slider for each direction of latent space, and the face that they change."""

import io
import os

import numpy as np
from PIL import Image

from .. import CourseError
from ..taught.latent_space import draw, move
from .grids import to_pixels


class LatentSliders:
    """One slider for each direction, and the face that they change.

    directions: a dict from a slider's name to a unit vector [d]. z: the faces to start
    from, [N, d]; one more slider chooses among them. reach: how far a slider goes to
    both sides. Raises CourseError where there is no direction or no face.
    """

    def __init__(self, generator, directions, z, reach=5.0):
        if not directions or not len(z):
            raise CourseError("Sliders need at least one direction and one face.")
        self.generator, self.directions = generator, dict(directions)
        self.z, self.reach = np.asarray(z), reach

    def noise(self, face=0, amounts=None):
        """The noise [1, d] of a face, moved; amounts: a dict from names to numbers."""
        change = np.zeros(self.z.shape[1])
        for name, amount in (amounts or {}).items():
            change += amount * self.directions[name]
        return move(self.z[face : face + 1], change, 1)

    def picture(self, face=0, amounts=None, side=320) -> bytes:
        """The PNG file, side × side pixels, of one face with the sliders like this."""
        pixels = to_pixels(draw(self.generator, self.noise(face, amounts)))[0]
        large = Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)
        file = io.BytesIO()
        large.save(file, "PNG", compress_level=1)
        return file.getvalue()

    def build(self):
        """The sliders and the picture as one ipywidgets box, ready to be shown."""
        import ipywidgets as widgets

        wide = {"style": {"description_width": "9em"}, "layout": {"width": "26em"}}
        face = widgets.IntSlider(0, 0, len(self.z) - 1, description="face", **wide)
        amounts = {
            name: widgets.FloatSlider(
                0, min=-self.reach, max=self.reach, step=0.25, description=name, **wide
            )
            for name in self.directions
        }
        reset = widgets.Button(description="all back to 0")
        image = widgets.Image(format="png", width=320, height=320)

        def redraw(change=None):
            values = {name: slider.value for name, slider in amounts.items()}
            image.value = self.picture(face.value, values)

        def to_zero(button):
            for slider in amounts.values():
                slider.value = 0

        for slider in (face, *amounts.values()):
            slider.observe(redraw, names="value")
        reset.on_click(to_zero)
        redraw()
        return widgets.HBox([image, widgets.VBox([face, *amounts.values(), reset])])

    def show(self, live=None):
        """Show the sliders where they can be moved; say how to where they cannot.

        live: whether they can. Without it: yes in a notebook that Jupyter's server has
        opened, no where a program runs the notebook from start to end.
        """
        from IPython.display import display

        if live is None:
            live = "JPY_SESSION_NAME" in os.environ  # set by Jupyter's server alone
        if live:
            display(self.build())
        else:
            print(
                "Sliders move in JupyterLab. Nobody is there to move them now: to see "
                "them all the same, sliders.show(live=True)."
            )
