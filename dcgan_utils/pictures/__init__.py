"""Get pictures, and look at a folder once."""
