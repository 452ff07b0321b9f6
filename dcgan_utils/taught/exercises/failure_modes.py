"""Exercises of lesson 07."""

from math import exp, log, log10, sqrt

from .kinds import Number

EXERCISES = {
    "07.1": Number(0.96043, tolerance=8e-4)
    .hint(1.12051, "each centre's pair with itself counts, too")
    .hint(0.5, "half of the modes are gone, not half of the distance")
    .hint(1 / 0.96043, "the other way round: the four modes go on top"),
    "07.2": Number(0.3 / sqrt(0.09 + 0.9))
    .hint(0.3, "0.3 is what goes in. If it is rounded: give three digits")
    .hint(1.0, "so it is with a tiny epsilon")
    .hint(0.3 / sqrt(0.9), "the variance stands below the root, too")
    .hint(0.3 / 1.2, "epsilon is added to the variance, below the root"),
    "07.3": Number(-0.5 * log(1 - exp(-0.1)), tolerance=0.005)
    .hint(-log(1 - exp(-0.1)), "D's loss is the mean of two terms: half of this")
    .hint(-0.5 * log10(1 - exp(-0.1)), "take the natural logarithm")
    .hint(-0.5 * log(0.9), "0.1 is −log p, not p"),
    "07.4": Number(51)
    .hint(50, "with 50 the median is half of a distance: the detector is silent")
    .hint(20, "0.2 is the limit of the distance, not a share of copies")
    .hint((52, 99), "it fires already, but not for the first time"),
}
