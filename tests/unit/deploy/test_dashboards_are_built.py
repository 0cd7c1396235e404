"""The committed dashboards are those that the code builds."""

from __future__ import annotations

from deploy.grafana.build import FOLDER, dashboards


def test_what_is_committed_is_what_is_built() -> None:
    built = dashboards()
    assert {path.name for path in FOLDER.iterdir()} == set(built)
    for name, text in built.items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, f"{name}: run `python -m deploy.grafana.build`"
