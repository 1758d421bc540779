"""The numbers of the augmented data set, chosen on validation images."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Augmentation:
    """Limits of the distortions, which are drawn uniformly between -limit and +limit."""

    rotation: float = 12.0  # degrees
    scale: float = 0.12  # of the size, for each axis
    shear: float = 0.15
    shift: float = 2.0  # pixels
    elastic: float = 0.8  # pixels, standard deviation at the grid points
    elastic_grid: int = 5  # points per axis, 6.75 pixels apart

    def scaled(self, strength: float) -> "Augmentation":
        """Return this augmentation, weaker."""
        return Augmentation(
            rotation=strength * self.rotation,
            scale=strength * self.scale,
            shear=strength * self.shear,
            shift=strength * self.shift,
            elastic=strength * self.elastic,
            elastic_grid=self.elastic_grid,
        )


@dataclass(frozen=True)
class DatasetRecipe:
    """The augmented data set that all models share."""

    augmented_copies: int = 60
    """Each has every training image once, and one of the sets of synthetic images."""
    synthetic_images: int = 24_000
    """Synthetic images in a set: three in ten of all images."""
    synthetic_sets: int = 12
    """The copies take them in turn. One for each copy would take too long to make."""
    augmentation_decay: float = 0.25
    """Fraction of the copies, the last ones, over which the augmentation decays."""
    final_augmentation: float = 0.5
    """Strength of the augmentation in the last copy."""
    seed: int = 1998
    augmentation: Augmentation = Augmentation()

    def augmentation_strength(self, copy: int) -> float:
        """Return the strength of the augmentation of a copy, `final_augmentation` to 1."""
        decaying_copies = self.augmentation_decay * self.augmented_copies
        remaining = (self.augmented_copies - 1 - copy) / decaying_copies
        return min(1.0, self.final_augmentation + (1 - self.final_augmentation) * remaining)


DATASET = DatasetRecipe()
