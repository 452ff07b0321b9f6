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


def check(number, yours, then=None, **given) -> None:
    """Judge the answer to an exercise, such as "03.1", and print the verdict.

    ``...`` and None mean: no answer yet. then: called with a right answer, as an array.
    given: what the exercise needs of the notebook. No answer raises an error.
    """
    from . import CourseError
    from .taught.exercises import find_exercise
    from .taught.exercises.kinds import as_numbers

    parts = yours if isinstance(yours, (list, tuple)) else [yours]
    if any(part is None or part is ... for part in parts):
        print("No answer yet: replace the ... and run the cell again.")
        return
    try:
        print(find_exercise(number).judge(yours, **given))
    except CourseError as hint:
        print(hint)
    except Exception as error:  # a student's object can fail in ways of its own
        print(f"This answer cannot be read: {type(error).__name__}.")
    else:
        if then:
            then(as_numbers(yours))
