"""Exercises of lesson 08."""

from math import exp

from .kinds import Number

LOSS = 0.21959287  # of D, in the ModelZoo's log after 50 steps

EXERCISES = {
    "08.1": Number(79).foreseen(
        (78, "78 leaves the last batch out: here it is filled up"),
        (78.125, "what becomes of the incomplete last batch?"),
    ),
    "08.2": Number(exp(-LOSS / 2)).foreseen(
        (exp(-LOSS), "the log has the sum of two terms, both −log p"),
        (1 - exp(-LOSS / 2), "that is 1 − p, what D said of a fake"),
        (LOSS / 2, "that is −log p: go on to p"),
    ),
    "08.3": Number(1_068_928).foreseen(
        (1_068_032, "the batch norms are missing"),
        (1_069_824, "the moving statistics are not trained"),
        (3_448_576, "that is with 128 maps next to the picture"),
    ),
    "08.4": Number(2.0, tolerance=0.01).foreseen(
        (1.0, "so it is with Adam: take `nn.SGD`"),
        (0.5, "the other way round: the sum's move goes on top"),
    ),
}
