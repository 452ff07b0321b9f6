"""The two networks of the DCGAN paper, for square pictures of 32 to 128 pixels.

Taught line by line in lesson 02; a test keeps both texts the same.
"""

from mindspore import nn, ops
from mindspore.common.initializer import Normal

weight_init = Normal(mean=0, sigma=0.02)


gamma_init = Normal(mean=1, sigma=0.02)


def layer_widths(feature_maps, image_size):
    """Feature maps of D's strided layers, from the picture inwards: 64, 128, …

    Each layer halves the side, until 4 to 7 pixels are left.
    """
    widths, side = [], image_size
    while side >= 8 and side % 2 == 0:
        widths.append(feature_maps * 2 ** len(widths))
        side //= 2
    if not widths or not 4 <= side <= 7:
        raise ValueError(f"image_size {image_size} cannot be halved down to 4…7 pixels")
    return widths


class LeakyReLU(nn.Cell):
    """max(0.2 x, x) for every number of x.

    Written as 0.2 x + 0.8 max(0, x): the same, but cheaper on a CPU than nn.LeakyReLU,
    most of all in the gradient.
    """

    def construct(self, x):
        return 0.2 * x + 0.8 * ops.relu(x)


class Generator(nn.Cell):
    """Noise [N, latent_size, 1, 1] to pictures [N, 3, S, S] in [-1, 1]."""

    def __init__(self, latent_size=100, feature_maps=64, image_size=64):
        super().__init__()
        widths = layer_widths(feature_maps, image_size)[::-1]  # 512, 256, 128, 64
        start = image_size >> len(widths)  # the side after the first layer: 4

        def up(inputs, outputs, kernel=4, stride=2, padding=1):
            return nn.Conv2dTranspose(
                inputs, outputs, kernel, stride, "pad", padding, weight_init=weight_init
            )

        def norm_relu(maps):
            return [nn.BatchNorm2d(maps, gamma_init=gamma_init), nn.ReLU()]

        layers = [up(latent_size, widths[0], start, 1, 0), *norm_relu(widths[0])]
        for inputs, outputs in zip(widths, widths[1:]):
            layers += [up(inputs, outputs), *norm_relu(outputs)]
        layers += [up(widths[-1], 3), nn.Tanh()]
        self.layers = nn.SequentialCell(layers)

    def construct(self, z):
        return self.layers(z)


class Discriminator(nn.Cell):
    """Pictures [N, 3, S, S] in [-1, 1] to the probability [N, 1] that each is real."""

    def __init__(self, feature_maps=64, image_size=64):
        super().__init__()
        widths = layer_widths(feature_maps, image_size)  # 64, 128, 256, 512
        end = image_size >> len(widths)  # the side after the last halving: 4

        def down(inputs, outputs):
            return nn.Conv2d(inputs, outputs, 4, 2, "pad", 1, weight_init=weight_init)

        layers = [down(3, widths[0]), LeakyReLU()]
        for inputs, outputs in zip(widths, widths[1:]):
            norm = nn.BatchNorm2d(outputs, gamma_init=gamma_init)
            layers += [down(inputs, outputs), norm, LeakyReLU()]
        self.layers = nn.SequentialCell(layers)
        # One output per picture: a 4 × 4 convolution over a 4 × 4 map is a dense layer.
        self.head = nn.Dense(
            widths[-1] * end * end, 1, weight_init=weight_init, has_bias=False
        )

    def construct(self, pictures):
        maps = self.layers(pictures)
        return ops.sigmoid(self.head(maps.reshape(maps.shape[0], -1)))


def count_parameters(network):
    """How many numbers training changes in this network."""
    return sum(p.size for p in network.trainable_params())
