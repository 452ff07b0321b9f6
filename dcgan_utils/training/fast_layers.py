"""The networks' layers in forms that a CPU computes faster, with equal results.

Nearly all of a training step's time goes into layers that double or halve the side of
their maps with a 4 × 4 kernel, stride 2 and padding 1. Doubling (the transposed
convolution, and the gradient of a halving with respect to its input) is a product of
the kernel with every pixel, 16 numbers per pixel and map, and a sum of them where their
places overlap. oneDNN does both in one call, and there the sum takes as long as the
product. ``Doubling`` has two other ways, each the faster one at some side.

What is taught are the plain layers (taught/networks.py); build_dcgan puts these in
their place on a CPU. benchmarks/results.md shows what they save, and
tests/training/test_fast_layers.py that they compute the same but for rounding.
"""

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype
from mindspore.ops.operations._grad_ops import Conv2DBackpropFilter

KERNEL, STRIDE, PADDING = 4, 2, 1


class Doubling(nn.Cell):
    """x [N, maps, S, S] and kernel [maps, outputs, 4, 4] to [N, outputs, 2 S, 2 S]."""

    def __init__(self, maps, outputs):
        super().__init__()
        self.maps, self.outputs = maps, outputs
        self.product = ops.Conv2D(16 * outputs, 1)
        # kernel[m, o, 2 r + a, 2 s + b] goes to [o, a, b, m, 1 - r, 1 - s].
        place = np.arange(maps * outputs * 16).reshape(maps, outputs, 2, 2, 2, 2)
        place = place[:, :, ::-1, :, ::-1].transpose(1, 3, 5, 0, 2, 4)
        self.place = Tensor(place.ravel(), mstype.int32)
        self.small = ops.Conv2D(4 * outputs, 2, pad_mode="pad", pad=1)

    def construct(self, x, kernel):
        if x.shape[2] <= 8:
            return self.add_up(x, kernel)
        return self.sort(x, kernel)

    def add_up(self, x, kernel):
        """Product and sum as above, the sum by ops.fold."""
        n, _, side, _ = x.shape
        columns = kernel.reshape(self.maps, -1).transpose(1, 0)
        y = self.product(x, columns.reshape(-1, self.maps, 1, 1))
        size = Tensor([2 * side, 2 * side], mstype.int32)
        y = y.reshape(n, 16 * self.outputs, side * side)
        return ops.fold(y, size, KERNEL, 1, PADDING, STRIDE)

    def sort(self, x, kernel):
        """A small convolution for each parity of row and column: nothing to add up.

        An even row of the result takes two rows of the kernel, an odd one the other
        two. A 2 × 2 convolution with 4 × outputs maps gives all four cases, and one
        row and column too many on each side. With few pixels these cost too much.
        """
        n, _, side, _ = x.shape
        small = ops.gather(kernel.reshape(-1), self.place, 0)
        y = self.small(x, small.reshape(-1, self.maps, 2, 2))
        y = y.reshape(n, self.outputs, 2, 2, side + 1, side + 1)
        y = y.transpose(0, 1, 4, 2, 5, 3)
        y = y.reshape(n, self.outputs, 2 * side + 2, 2 * side + 2)
        # Not y[:, :, 1:-1, 1:-1], which takes 50 times as long on a CPU.
        return ops.slice(y, (0, 0, 1, 1), (n, self.outputs, 2 * side, 2 * side))


class Strided(nn.Cell):
    """A convolution and a transposed one are each other's gradient: both, with theirs.

    maps, outputs: of the transposed one, whose kernel is [maps, outputs, 4, 4].
    """

    def __init__(self, maps, outputs):
        super().__init__()
        self.double = Doubling(maps, outputs)
        self.halve = ops.Conv2D(
            maps, KERNEL, pad_mode="pad", pad=PADDING, stride=STRIDE
        )
        self.kernel_gradient = Conv2DBackpropFilter(
            maps, (KERNEL,) * 2, "pad", PADDING, (PADDING,) * 4, stride=(STRIDE,) * 2
        )


class Halve(Strided):
    """pictures [N, outputs, 2 S, 2 S] to [N, maps, S, S], as nn.Conv2d."""

    def construct(self, x, kernel):
        return self.halve(x, kernel)

    def bprop(self, x, kernel, out, dout):
        dkernel = self.kernel_gradient(dout, x, kernel.shape)
        return self.double(dout, kernel), dkernel


class Double(Strided):
    """x [N, maps, S, S] to [N, outputs, 2 S, 2 S], as nn.Conv2dTranspose."""

    def construct(self, x, kernel):
        return self.double(x, kernel)

    def bprop(self, x, kernel, out, dout):
        dkernel = self.kernel_gradient(x, dout, kernel.shape)
        return self.halve(dout, kernel), dkernel


class Spread(nn.Cell):
    """x [N, maps, 1, 1] and kernel [maps, outputs, S, S] to [N, outputs, S, S]."""

    def construct(self, x, kernel):
        maps, outputs, side, _ = kernel.shape
        y = ops.matmul(x.reshape(-1, maps), kernel.reshape(maps, -1))
        return y.reshape(-1, outputs, side, side)


class FastConv2d(nn.Conv2d):
    """A halving layer in its quicker form, with the very weight of the given one."""

    def __init__(self, layer):
        super().__init__(
            layer.in_channels,
            layer.out_channels,
            KERNEL,
            STRIDE,
            "pad",
            PADDING,
            weight_init="zeros",
        )
        self.weight = layer.weight
        self.form = Halve(layer.out_channels, layer.in_channels)

    def construct(self, x):
        return self.form(x, self.weight)


class FastConv2dTranspose(nn.Conv2dTranspose):
    """A doubling or spreading layer likewise."""

    def __init__(self, layer):
        super().__init__(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,
            layer.stride,
            "pad",
            layer.padding,
            weight_init="zeros",
        )
        self.weight = layer.weight
        spreads = layer.stride == (1, 1)
        maps = layer.in_channels, layer.out_channels
        self.form = Spread() if spreads else Double(*maps)

    def construct(self, x):
        return self.form(x, self.weight)


def use_fast_layers(network):
    """Put the quicker forms in place of a Generator's or a Discriminator's layers.

    Weights and names stay; results differ by rounding. The layers at the picture, of
    three maps on one side, are left: nothing is gained there.
    """
    kinds = {nn.Conv2d: FastConv2d, nn.Conv2dTranspose: FastConv2dTranspose}
    for number, layer in enumerate(network.layers):
        kind = kinds.get(type(layer))
        if kind and 3 not in (layer.in_channels, layer.out_channels):
            network.layers[number] = kind(layer)
    return network
