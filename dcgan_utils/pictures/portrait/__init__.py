"""How a sample face is drawn: in code, the course's own, licence-free.

`traits` says what a face can be, `portrait` is the canvas it is painted on (with the
`brush`), `hair`, `face` and `outfit` paint its parts, and `draw` calls them in order.
"""

# ruff: noqa: F401  (what other rooms use)
from .draw import DRAWING_VERSION, draw_face
from .traits import (
    ACCESSORIES,
    BACKGROUNDS,
    EXPRESSIONS,
    EYE_COLOURS,
    HAIR_COLOURS,
    HAIR_STYLES,
    LABEL_VALUES,
    SKINS,
    FaceLabels,
    random_labels,
)
