"""`bottombox`, also as `python -m app`."""

from __future__ import annotations

import sys

from alerts.errors import BottomboxError
from app.cli import program


def main() -> None:
    """Errors are one sentence on standard error and a non-zero exit."""
    try:
        program.main(standalone_mode=True)
    except BottomboxError as error:
        sys.stderr.write(f"bottombox: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
