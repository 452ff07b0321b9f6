"""Figures: grids, curves, the live view, sliders."""
