"""The ways a command can fail, each with its exit code."""


class BenchmartError(Exception):
    """A failure with one clear line; the published build is untouched."""

    exit_code = 1


class InputError(BenchmartError):
    """Bad usage or bad input: the line names the file, row and column and the nearest valid choice."""

    exit_code = 2


class FieldError(InputError):
    """Bad input in one field, which a command takes as a flag and a table as a column."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"--{field.removesuffix('_name').replace('_', '-')}: {reason}")
        self.field, self.reason = field, reason

    def __reduce__(self) -> tuple:
        return type(self), (self.field, self.reason)


class BuildLocked(BenchmartError):
    """Another build holds the lock."""

    exit_code = 75
