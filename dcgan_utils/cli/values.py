"""The settings that ``dcgan train`` takes in place of the preset's."""

# A setting: kind, lowest, highest, what it is.
VALUES = {
    "face_count": (int, 0, 10**9, "pictures of one epoch; 0 means all there are"),
    "image_size": (int, 8, 1024, "side of the pictures, such as 32, 64, 96, 128"),
    "latent_size": (int, 1, 10**4, "numbers of noise for one picture"),
    "generator_maps": (int, 1, 4096, "feature maps of G's last hidden layer"),
    "discriminator_maps": (int, 1, 4096, "feature maps of D's first layer"),
    "batch_size": (int, 2, 10**5, "pictures of one step, on each worker"),
    "epochs": (int, 1, 10**6, "how often to see every picture"),
    "generator_rate": (float, 1e-9, 1, "G's learning rate"),
    "discriminator_rate": (float, 1e-9, 1, "D's learning rate"),
    "beta1": (float, 1e-9, 0.999, "how long Adam remembers gradients"),
    "real_label": (float, 0.5, 1, "what D is asked to say of a real picture"),
    "average_decay": (float, 0, 0.99999, "moving average of G's weights; 0: none"),
    "seed": (int, 0, 2**31 - 1, "where all random numbers come from"),
    "feature_maps": (int, 1, 4096, "of both networks"),
    "learning_rate": (float, 1e-9, 1, "of both networks"),
}
PAIRS = {  # one word for both networks; that of a single one counts more
    "feature_maps": ("generator_maps", "discriminator_maps"),
    "learning_rate": ("generator_rate", "discriminator_rate"),
}
