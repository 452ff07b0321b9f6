"""What a notebook's cells call: ``start_lesson`` first, ``check`` for an exercise."""

from .settings import Settings, load_settings, settings_table


def start_lesson() -> Settings:
    """Choose the device, read the settings, print both; returns the settings."""
    from .device import choose_device

    settings = load_settings()
    device = choose_device()
    print(settings_table(settings))
    print(f"{'device':<20} {device}")
    return settings


def check(yours, expected, tolerance=1e-4) -> None:
    """Compare an exercise's answer with the expected one and print the verdict.

    Both are a number, a text or an array. Counts must be equal, other numbers within
    the tolerance, relative or absolute. ``...`` and None mean: no answer yet.
    """
    import numpy as np

    if yours is None or yours is ...:
        print("No answer yet: replace the ... and run the cell again.")
        return
    if isinstance(expected, str):
        right = str(yours).strip().lower() == expected.lower()
    else:
        yours, expected = np.asarray(yours), np.asarray(expected)
        if yours.dtype.kind not in "biuf":
            print("The answer must be a number, or an array of numbers.")
            return
        exact = expected.dtype.kind in "biu"
        limit = 0 if exact else tolerance
        same_shape = yours.shape == expected.shape
        right = same_shape and np.allclose(yours, expected, rtol=limit, atol=limit)
    if right:
        print(f"yours {_short(yours)}, expected {_short(expected)} ✓")
    else:
        print(f"yours {_short(yours)} is not right yet.")


def _short(value) -> str:
    if not hasattr(value, "dtype"):
        return str(value)
    if value.size > 8:
        return f"array {value.shape}"
    form = ",.6g" if value.dtype.kind == "f" else ","
    numbers = [format(number, form) for number in value.ravel().tolist()]
    return f"({', '.join(numbers)})" if value.ndim else numbers[0]
