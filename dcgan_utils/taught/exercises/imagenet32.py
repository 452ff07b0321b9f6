"""Exercises of lesson 08."""

from math import exp

from .kinds import Number

LOSS = 0.21959287  # of D, in the ModelZoo's log after 50 steps

EXERCISES = {
    "08.1": Number(79)
    .hint(78, "78 leaves the last batch out: here it is filled up")
    .hint(78.125, "what becomes of the incomplete last batch?"),
    "08.2": Number(exp(-LOSS / 2))
    .hint(exp(-LOSS), "the log has the sum of two terms, both −log p")
    .hint(1 - exp(-LOSS / 2), "that is 1 − p, what D said of a fake")
    .hint(LOSS / 2, "that is −log p: go on to p"),
    "08.3": Number(1_068_928)
    .hint(1_068_032, "the batch norms are missing")
    .hint(1_069_824, "the moving statistics are not trained")
    .hint(3_448_576, "that is with 128 maps next to the picture"),
    "08.4": Number(2.0, tolerance=0.01)
    .hint(1.0, "so it is with Adam: take `nn.SGD`")
    .hint(0.5, "the other way round: the sum's move goes on top"),
}
