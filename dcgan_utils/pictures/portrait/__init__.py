"""How a sample face is drawn."""
