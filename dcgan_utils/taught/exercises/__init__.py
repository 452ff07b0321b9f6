"""The answers of the exercises and the mistakes foreseen: one file for each lesson."""

from importlib import import_module

from ... import CourseError

LESSONS = ["data", "networks", "training", "results", "latent_space", "evaluation"]
LESSONS += ["failure_modes", "imagenet32", "distributed", "export", "features"]


def find_exercise(number):
    """The exercise "03.1", of lesson 03; raises CourseError if there is none."""
    for count, lesson in enumerate(LESSONS, 1):
        if str(number).startswith(f"{count:02}."):
            found = import_module(f"{__name__}.{lesson}").EXERCISES
            if number in found:
                return found[number]
    raise CourseError(f"There is no exercise {number!r}: write one like '03.1'.")
