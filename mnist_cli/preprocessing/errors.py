"""Errors about pictures in which no digit can be located."""

from mnist_cli.errors import NoDigitError


def blank_error() -> NoDigitError:
    return NoDigitError(
        "no digit in the picture: it is blank, or ink and paper are too similar; use a picture with"
        " more contrast"
    )


def no_digit_error() -> NoDigitError:
    return NoDigitError("no digit in the picture: check that the whole digit is visible")
