"""The models of a server; each is loaded when it is first asked for."""

import threading

from mnist_cli.errors import UnknownModelError
from mnist_cli.loader import Model, find_model, find_models, load_model
from mnist_cli.server.settings import Settings


class Models:
    """Loads each model once; safe to use from many threads."""

    def __init__(self, settings: Settings) -> None:
        """Find the default model.

        Raises:
            ModelError: there is none.
        """
        self._settings = settings
        self._lock = threading.Lock()
        self._loaded: dict[str, Model] = {}
        self.default = find_model(settings.model, model_dir=settings.model_dir).name
        """The name of the model that answers where a request names none."""

    @property
    def names(self) -> list[str]:
        """All models that can be asked for."""
        found = {model.name for model in find_models(self._settings.model_dir)}
        return sorted(found | {self.default})

    @property
    def is_ready(self) -> bool:
        """Whether the default model is loaded."""
        return self.default in self._loaded

    def get(self, name: str | None = None) -> Model:
        """The model of that name, never of a path: a request must not choose files.

        Raises:
            UnknownModelError: there is none of that name.
            ModelError: it cannot be loaded.
        """
        name = self.default if name is None else name
        if name not in self._loaded:
            if name not in self.names:
                known = ", ".join(self.names)
                raise UnknownModelError(f"no model named {name!r}: there are {known}")
            with self._lock:
                if name not in self._loaded:
                    # The default model may have been given as a path.
                    source = self._settings.model if name == self.default else name
                    self._loaded[name] = load_model(source, model_dir=self._settings.model_dir)
        return self._loaded[name]
