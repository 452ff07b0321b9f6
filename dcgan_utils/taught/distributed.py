"""Lesson 09: each worker's share of a batch, and the mean of all gradients."""

from dataclasses import dataclass

from mindspore import nn


@dataclass(frozen=True)
class Place:
    """Which worker of a job this process is: rank 0 to size − 1."""

    rank: int = 0
    size: int = 1


def share(batch, place):
    """This worker's part of a batch: piece number ``rank`` of ``size`` equal ones."""
    count = len(batch) // place.size
    return batch[place.rank * count : (place.rank + 1) * count]


class MeanGradients(nn.Cell):
    """An optimizer that first takes the mean of the gradients over all workers."""

    def __init__(self, optimizer, workers):
        super().__init__(auto_prefix=False)  # the parameters keep their names
        self.optimizer = optimizer
        self.parameters = optimizer.parameters
        self.reduce = nn.DistributedGradReducer(optimizer.parameters, True, workers)

    def construct(self, gradients):
        return self.optimizer(self.reduce(gradients))
