"""Loads models when they are first requested, each one once."""

import threading

from mnist_cli.errors import UnknownModelError
from mnist_cli.loader import find_model, find_models, load
from mnist_cli.records import Statistics
from mnist_cli.server.model_metadata import ServedModel
from mnist_cli.server.settings import Settings


class Models:
    """The models that a server offers; safe to use from many threads."""

    def __init__(self, settings: Settings) -> None:
        """Find the default model on disk, without loading it.

        Raises:
            ModelError: the model does not exist.
        """
        self._settings = settings
        self._lock = threading.Lock()
        self._loaded: dict[str, ServedModel] = {}
        self._default = find_model(settings.model, model_dir=settings.model_dir)
        self.default = self._default.name
        """The name of the model for requests that name none."""

    @property
    def names(self) -> list[str]:
        """The names of all models, sorted."""
        return sorted(self._statistics())

    @property
    def accuracies(self) -> dict[str, float | None]:
        """The accuracy of each model on the MNIST test set, as a fraction; None if unknown."""
        return {name: found.get("accuracy") for name, found in sorted(self._statistics().items())}

    @property
    def is_ready(self) -> bool:
        """Whether the default model is loaded."""
        return self.default in self._loaded

    def get(self, name: str | None = None, version: str | None = None) -> ServedModel:
        """Return a model, and load it if necessary.

        Args:
            name: a name, never a path: clients must not choose files. The default model if None.
            version: decimal digits; any version if None.

        Raises:
            UnknownModelError: no model has that name or version.
            ModelError: the model cannot be loaded.
        """
        name = self.default if name is None else name
        if name not in self._loaded:
            if name not in self.names:
                known = ", ".join(self.names)
                raise UnknownModelError(f"no model named {name!r} (available: {known})")
            with self._lock:
                if name not in self._loaded:
                    self._loaded[name] = self._load(name)
        model = self._loaded[name]
        if version is not None and (version.lstrip("0") or "0") != model.version:
            raise UnknownModelError(f"model {name} has only version {model.version}")
        return model

    def _statistics(self) -> dict[str, Statistics]:
        """Return the statistics of all models by name; of a loaded one, as it was loaded."""
        stored = [*find_models(self._settings.model_dir), self._default]
        return {model.name: model.statistics for model in stored} | {
            name: served.model.statistics for name, served in list(self._loaded.items())
        }

    def _load(self, name: str) -> ServedModel:
        # The default model may have been given as a path.
        source = self._settings.model if name == self.default else name
        stored = find_model(source, model_dir=self._settings.model_dir)
        input = self._settings.input if name == self.default else None
        return ServedModel(load(stored, input=input), stored)
