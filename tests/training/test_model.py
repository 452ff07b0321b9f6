"""The model as it is built: names, equal starts, weights that follow from the seed."""

from dataclasses import replace

from small_runs import TINY

from dcgan_utils.training.model import build_dcgan


def test_all_parameters_have_names_of_their_own(tiny):
    names = [p.name for p in tiny.parameters]
    assert len(set(names)) == len(names)
    parts = {"generator", "discriminator", "average", "optimizer_g", "optimizer_d"}
    assert {name.split(".")[0] for name in names} == parts
    for side, network in (("g", tiny.generator), ("d", tiny.discriminator)):
        for p in network.trainable_params():
            for moment in ("moment1", "moment2"):
                assert f"optimizer_{side}.{moment}.{p.name}" in names
    assert {"optimizer_g.beta1_power", "optimizer_d.global_step"} <= set(names)


def test_weights_follow_from_the_seed_and_the_average_starts_as_the_generator(tiny):
    other = build_dcgan(replace(TINY, seed=2))
    again = build_dcgan(TINY)
    weights = tiny.generator.trainable_params()
    for a, b in zip(weights, again.average.trainable_params()):
        assert (a.asnumpy() == b.asnumpy()).all(), a.name
    pairs = zip(again.parameters, other.parameters)
    differ = {a.name for a, b in pairs if (a.asnumpy() != b.asnumpy()).any()}
    assert {"generator.layers.0.weight", "discriminator.layers.0.weight"} <= differ
