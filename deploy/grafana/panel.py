"""What a panel is in our words, and how it becomes one of Grafana's."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from grafana_foundation_sdk.builders import bargauge, heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from msgspec import Struct

SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")


class Kind(StrEnum):
    NOW = "stat"  # one figure
    COURSE = "timeseries"  # how it went
    HEAT = "heatmap"  # how a histogram went
    SHARES = "bargauge"  # figures beside each other


_BUILDERS: dict[Kind, Any] = {
    Kind.NOW: stat.Panel,
    Kind.COURSE: timeseries.Panel,
    Kind.HEAT: heatmap.Panel,
    Kind.SHARES: bargauge.Panel,
}


class Panel(Struct, frozen=True, kw_only=True):
    """`asks`: expressions by what they are called in the legend. `yellow`, `red`: from where it deserves a look, and a
    person; the other way round when small is bad. `runbook` names an alert."""

    title: str
    says: str
    kind: Kind
    unit: str
    asks: dict[str, str]
    yellow: float
    red: float
    width: int = 6
    height: int = 7
    runbook: str | None = None
    link: str | None = None

    def built(self) -> Any:
        panel = _BUILDERS[self.kind]()
        panel.title(self.title).description(self.says).unit(self.unit).datasource(SOURCE)
        panel.span(self.width).height(self.height).thresholds(_thresholds(self.yellow, self.red)).links(self._links())
        for place, (name, expression) in enumerate(self.asks.items()):
            panel.with_target(self._query(chr(ord("A") + place), name, expression))
        return panel

    def _query(self, ref: str, name: str, expression: str) -> Any:
        query = prometheus.Dataquery().expr(expression).legend_format(name).ref_id(ref).datasource(SOURCE)
        if self.kind is Kind.HEAT:
            return query.format(PromQueryFormat.HEATMAP).range()
        return query.instant() if self.kind in {Kind.NOW, Kind.SHARES} else query.range()

    def _links(self) -> list[Any]:
        links = []
        if self.runbook is not None:
            links.append(_link("What to do", f"${{docs}}/runbooks/{self.runbook}.md"))
        if self.link is not None:
            links.append(_link("In the service", f"${{api}}{self.link}"))
        return links


def _link(title: str, url: str) -> Any:
    return build.DashboardLink(title).type(model.DashboardLinkType.LINK).url(url).target_blank(True)


def _thresholds(yellow: float, red: float) -> Any:
    """Green to red as it grows, or red to green when red is the smaller one."""
    steps = [("green", None), ("yellow", yellow), ("red", red)]
    if red < yellow:
        steps = [("red", None), ("yellow", red), ("green", yellow)]
    return (
        build.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=color) for color, value in steps])
    )


def dashboard(uid: str, title: str, says: str, rows: dict[str, list[Panel]], *, since: str) -> Any:
    """Rows by their title; in each the story goes from left to right."""
    board = build.Dashboard(title).uid(uid).description(says).tags(["bottombox"]).readonly().timezone("browser")
    board.time(since, "now").refresh("30s")
    board.with_variable(build.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    board.with_variable(build.TextBoxVariable("docs").label("Docs at").default_value("https://docs.example/bottombox"))
    board.with_variable(build.TextBoxVariable("api").label("API at").default_value("https://bottombox.example"))
    number = 1
    for name, panels in rows.items():
        board.with_row(build.Row(name).id(number))
        for place, panel in enumerate(panels, start=number + 1):
            board.with_panel(panel.built().id(place))
        number += len(panels) + 1
    return board.build()
