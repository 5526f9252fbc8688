"""The engine against the textbook loop against the hardware's floor, as ratios within one run."""
