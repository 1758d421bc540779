"""Every number that was chosen, for the models, the data set and the synthetic pictures."""
