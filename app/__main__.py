"""`bottombox`, also as `python -m app`."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from alerts.errors import BottomboxError
from app.cli import program


def main() -> None:
    """Errors are one sentence on standard error and a non-zero exit: 2 for words that are off, 1 for the rest."""
    try:
        sys.exit(program.main(standalone_mode=False))
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        _end(error.format_message(), error.exit_code)
    except BottomboxError as error:
        _end(str(error), 1)
    except ExceptionGroup as group:
        ours = group.subgroup(BottomboxError)
        if ours is None or ours.exceptions != group.exceptions:
            raise
        _end("; ".join(str(error) for error in ours.exceptions), 1)


def _end(sentence: str, code: int) -> NoReturn:
    sys.stderr.write(f"bottombox: {sentence}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
