"""The numbers that were chosen: models, augmented data set and synthetic pictures."""
