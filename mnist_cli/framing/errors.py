"""Errors about pictures in which no digit can be located."""

from mnist_cli.errors import InputError

MAX_COMPONENTS = 1000
"""A picture with more connected components is a texture or a page of text."""


def blank_error() -> InputError:
    return InputError(
        "no digit in the picture: it is blank, or ink and paper are too similar; use a picture with"
        " more contrast"
    )


def clutter_error() -> InputError:
    return InputError(
        "no digit in the picture: it shows only lines, dots or specks; check that the whole digit"
        " is visible"
    )


def texture_error() -> InputError:
    return InputError(
        "no digit in the picture: a texture or pattern covers all of it; crop it to the digit"
    )


def too_many_components_error() -> InputError:
    return InputError(
        f"the picture has more than {MAX_COMPONENTS:,} separate marks: crop it to the digits"
    )
