"""Exercises of lesson 09."""

from .kinds import Number

EXERCISES = {
    "09.1": Number((9, 4))
    .hint((8, 1), "that is worker 1's: ranks begin at 0")
    .hint((8, 0), "a share is one piece, not every fourth picture"),
    "09.2": Number(4)
    .hint(8, "8 are drawn; are they all different?")
    .hint(1, "one seed gives a whole series of vectors"),
    "09.3": Number(8192.0, tolerance=1.0)
    .hint(10_240, "the all-reduce takes time, too")
    .hint(1_024, "that is one device's part, or the pictures of one step")
    .hint(1_280, "that is one device alone, without an all-reduce"),
    "09.4": Number((8, 9))
    .hint(2, "that is how many: which ones are they?")
    .hint((), "some are: put the four shares side by side")
    .hint((6, 7), "these are worker 3's"),
}
