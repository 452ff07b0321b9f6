"""Exercises of lesson 01."""

from .kinds import Number

EXERCISES = {
    "01.1": Number(0.6)
    .hint(204 / 255, "204/255 is for the range [0, 1], which is not tanh's")
    .hint(204 - 127.5, "the mean is gone, the division by the deviation is missing")
    .hint(204 / 127.5, "divided, but the mean was not taken away first"),
    "01.2": Number(549)
    .hint(548, "548 leaves the last batch out: here it is filled up")
    .hint(70_171 / 128, "no whole number: what of the last batch?"),
    "01.3": Number((64, 96, 3))
    .hint((64, 96), "the channels are missing")
    .hint((96, 64, 3), "this is (width, height, channels)")
    .hint((64, 64, 3), "that is after `CenterCrop`: `Resize` keeps the proportion")
    .hint((3, 64, 96), "the channels move to the front only in `HWC2CHW`"),
    "01.4": Number(0.75, tolerance=0.01)
    .hint(0.5, "that is the share of the made numbers alone: count the real ones, too")
    .hint(1.0, "that is the share of the real numbers alone: count the made ones, too")
    .hint((0.55, 0.7), "so it goes with real pictures in [-1, 1]: scale to [0, 1]"),
}
