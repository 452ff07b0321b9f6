"""Exercises of lesson 02."""

from .kinds import Number

EXERCISES = {
    "02.1": Number(819_200)
    .hint(819_712, "one number too many for each map: the layer has no bias")
    .hint(820_224, "batch norm is a layer of its own, and not counted here")
    .hint(51_200, "that is for a kernel of one pixel"),
    "02.2": Number((10, 18, 10))
    .hint((10, 18, 10.5), "there is no half pixel, and no half step")
    .hint((9, 17, 9), "the first place counts, too")
    .hint((9, 18, 9), "the padding is on both sides")
    .hint((40, 22, 39), "this enlarges: it is the way up"),
    "02.3": Number(3_448_576)
    .hint(3_446_784, "the batch norms are missing")
    .hint(3_450_368, "the moving statistics are not trained")
    .hint(3_449_475, "no convolution here has a bias")
    .hint(1_068_928, "that is with 64 maps next to the picture"),
    "02.4": Number((4, 6, 9))
    .hint((1, 2, 4), "that is kernel 3")
    .hint((2, 3), "that is one direction: rows and columns multiply")
    .hint((1, 2, 3, 4, 6, 9), "the edge is in it: cut it off, as in the lesson"),
}
