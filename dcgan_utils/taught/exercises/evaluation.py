"""Exercises of lesson 06."""

from .kinds import Number

EXERCISES = {
    "06.1": Number(5.0)
    .hint(4.0, "that is the means alone: the spreads differ, too")
    .hint(3.0, "each difference is squared before they are added")
    .hint(17.0, "minus twice the root of the product of the variances")
    .hint(29.0, "take the difference of the deviations, not of the variances"),
    "06.2": Number(1 - 1 / 2**5, tolerance=0.004)
    .hint(1 - 1 / 2**3, "that is k = 3")
    .hint((0.976, 0.988), "one neighbour too many: the row itself is none")
    .hint(1 / 2**5, "that is the share that is left out")
    .hint(1 - 1 / 5, "each further neighbour halves what is left out"),
    "06.3": Number(0.89, tolerance=0.111)
    .hint((-0.1, 0.1), "so it is with copies, whose balls have radius 0: here not")
    .hint((0.4, 0.6), "the balls are fewer, but how large are they?"),
    "06.4": Number(2.0, tolerance=0.2)
    .hint((0.9, 1.1), "nothing changed: do both cases have as many rows?")
    .hint((0.4, 0.6), "the other way round: the FID of fewer rows goes on top")
    .hint((1.3, 1.5), "that is how an error shrinks; this is a bias"),
}
