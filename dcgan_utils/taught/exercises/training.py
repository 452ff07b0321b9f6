"""Exercises of lesson 03."""

from math import log, log10

from .kinds import Number

EXERCISES = {
    "03.1": Number(-(log(0.8) + log(0.7)) / 2, tolerance=5e-4)
    .hint(-log(0.8) - log(0.7), "the half is missing")
    .hint((log(0.8) + log(0.7)) / 2, "a loss is not below 0: look at the sign")
    .hint(-(log10(0.8) + log10(0.7)) / 2, "take the natural logarithm, `np.log`")
    .hint(-(log(0.8) + log(0.3)) / 2, "of a fake, D's answer should be 0: 1 − 0.3"),
    "03.2": Number(0.95 / 0.05, tolerance=5e-3)
    .hint(20, "at 20, only one of the two slopes is right: what is the other one?")
    .hint(0.05 / 0.95, "that is how many times weaker the other one pushes")
    .hint(log(0.05) / log(0.95), "compare the slopes, not the losses"),
    "03.3": Number(22)
    .hint(21, "after 21 updates the average is at 0.891")
    .hint(log(0.1) / log(0.9), "updates come whole: which is the first that is above?")
    .hint(10, "1/(1 − d) is how long the memory is, not when 0.9 is passed"),
    "03.4": Number(5)
    .hint(1, "so it is with beta1 = 0.5: give Adam beta1 = 0.9")
    .hint(4, "in the 4th step the weight still moves the old way")
    .hint(15, "count from the change of sign, not from the start"),
}
