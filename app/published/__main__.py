"""Writes the documents into the documentation: `python -m app.published docs`."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from app.published import DOCUMENTS, written


def main(folder: Path) -> None:
    for name in DOCUMENTS:
        if name == "asyncapi.json":
            text = yaml.safe_dump(DOCUMENTS[name], sort_keys=False, allow_unicode=True, width=120)
            (folder / "asyncapi.yaml").write_text(text, encoding="utf-8")
        else:
            (folder / "schemas" / name).write_text(written(name), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
