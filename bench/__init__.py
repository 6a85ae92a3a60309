"""Measurements, side by side in one run; each prints its own baseline."""
