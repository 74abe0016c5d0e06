"""Figures: a function each, which returns a matplotlib Figure and shows nothing. The look is in `style`."""
