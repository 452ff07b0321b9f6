"""What the detectors of lesson 07 say after an epoch, each with a remedy."""

from ..taught.failure_modes import (
    collapsed,
    discriminator_won,
    epsilon_too_large,
    labels_swapped,
    noise_not_fixed,
    uneven_stamps,
    wrong_range,
)

REMEDIES = {
    "mode collapse": "a faster D or a slower G; if it stays, another seed",
    "D has won": "the loss −log D(G(z)) for G, a slower D, or label smoothing",
    "wrong range": "pictures in [-1, 1], the range of tanh: x / 127.5 - 1",
    "noise not fixed": "drawing the noise once, before the loop, or from the seed",
    "batch norm in training mode": "generator.set_train(False) before drawing",
    "batch norm without statistics": "recalibrate_batch_norm(generator, noise)",
    "momentum given as epsilon": "naming it: nn.BatchNorm2d(maps, momentum=0.9)",
    "uneven stamps": "a kernel that the stride divides, as 4 and 2",
    "labels swapped": "1 for real and 0 for fakes in D's loss, 1 for fakes in G's",
}


def warnings_of(history, real, made, before=None, real_label=1.0, generator=None):
    """What the detectors say after an epoch of training, as a list of sentences.

    history: the losses of D and G, [steps, 2]; real and made: pictures [N, 3, S, S];
    before: what the same noise gave an epoch earlier. The made pictures are judged only
    after 200 steps: before, they are all alike. S must be a multiple of 8 for that.
    """
    verdicts = [
        discriminator_won(history, real_label),
        labels_swapped(history),
        wrong_range(real),
    ]
    if generator is not None:
        verdicts += [epsilon_too_large(generator), uneven_stamps(generator)]
    if len(history) >= 200 and made.shape[-1] % 8 == 0:
        verdicts.append(collapsed(real, made))
        if before is not None:
            verdicts.append(noise_not_fixed(before, made))
    return [f"{v}. Try: {REMEDIES[v.failure]}." for v in verdicts if v.fires]
