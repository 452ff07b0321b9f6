"""The command line: ``dcgan``, or ``python -m dcgan_utils``."""
