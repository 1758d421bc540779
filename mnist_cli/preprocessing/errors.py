"""Errors about pictures in which no digit can be located."""

from mnist_cli.errors import InputError


def blank_error() -> InputError:
    return InputError(
        "no digit in the picture: it is blank, or ink and paper are too similar; use a picture with"
        " more contrast"
    )


def no_digit_error() -> InputError:
    return InputError("no digit in the picture: check that the whole digit is visible")
