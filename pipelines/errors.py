"""The ways a command can fail, each with its exit code."""


class BenchmartError(Exception):
    """A failure with one clear line; the published build is untouched."""

    exit_code = 1


class InputError(BenchmartError):
    """Bad usage or bad input: the line names the file, row and column and the nearest valid choice."""

    exit_code = 2


class BuildLocked(BenchmartError):
    """Another build holds the lock."""

    exit_code = 75
