"""The models of a server: one is ready from the start, the others load when first asked for."""

import threading

from mnist_cli.errors import UnknownModelError
from mnist_cli.loader import Model, find_models, load_model
from mnist_cli.server.settings import Settings


class Models:
    """Loads each model once; safe to use from many threads."""

    def __init__(self, settings: Settings) -> None:
        """Load the default model.

        Raises:
            ModelError: it cannot be loaded.
        """
        self._model_dir = settings.model_dir
        self._lock = threading.Lock()
        self.default = load_model(settings.model, model_dir=settings.model_dir)
        self._loaded = {self.default.name: self.default}

    @property
    def names(self) -> list[str]:
        """All models that can be asked for."""
        found = {model.name for model in find_models(self._model_dir)}
        return sorted(found | {self.default.name})

    def get(self, name: str | None = None) -> Model:
        """The model of that name, never of a path: a request must not choose files.

        Raises:
            UnknownModelError: there is none of that name.
            ModelError: it cannot be loaded.
        """
        if name is None:
            return self.default
        if name not in self._loaded:
            if name not in self.names:
                known = ", ".join(self.names)
                raise UnknownModelError(f"no model named {name!r}: there are {known}")
            with self._lock:
                if name not in self._loaded:
                    self._loaded[name] = load_model(name, model_dir=self._model_dir)
        return self._loaded[name]
