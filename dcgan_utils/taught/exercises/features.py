"""Exercises of lesson 11."""

from .kinds import Number

EXERCISES = {
    "11.1": Number(7168)
    .hint(448, "each map gives more than one number")
    .hint(15_360, "that is for 64 × 64 pixels, with one layer more")
    .hint(28_672, "that is without pooling"),
    "11.2": Number(-0.4)
    .hint(0, "0 would be right for as many faces with as without")
    .hint(-1, "that is the verdict; asked for is the number")
    .hint(0.3, "that is the share; the answers are 1 and −1"),
    "11.3": Number((0, 3))
    .hint((-0.2, 3), "the first is the plain leaky ReLU")
    .hint((-1, 3), "the gradient of −1 is not passed on as it is")
    .hint((0, 2), "the second is the input: the gradient is asked for"),
    "11.4": Number((1.0, 0.5), tolerance=0.06)
    .hint((0.5, 0.5), "that is with a huge λ, or with new answers in both")
    .hint((1.0, 1.0), "the second must be of the new rows")
    .hint((0.5, 1.0), "the other way round: first the rows that were learnt"),
}
