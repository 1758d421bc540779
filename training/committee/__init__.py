"""The committee: five CNNs whose mean logits teach the models."""
