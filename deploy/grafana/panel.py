"""What a panel is in our words, and how it becomes one of Grafana's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from grafana_foundation_sdk.builders import bargauge, common, heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.runtime import UnknownDataquery
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from msgspec import Struct

PROMETHEUS = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
POSTGRES = model.DataSourceRef(type_val="postgres", uid="${ledger}")


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

    @property
    def source(self) -> model.DataSourceRef:
        return PROMETHEUS

    def built(self) -> Any:
        panel = _BUILDERS[self.kind]()
        panel.title(self.title).description(self.says).unit(self.unit).datasource(self.source)
        panel.span(self.width).height(self.height).thresholds(_thresholds(self.yellow, self.red)).links(self._links())
        for place, (name, expression) in enumerate(self.asks.items()):
            panel.with_target(self._query(chr(ord("A") + place), name, expression))
        return panel

    def _query(self, ref: str, name: str, expression: str) -> Any:
        query = prometheus.Dataquery().expr(expression).legend_format(name).ref_id(ref).datasource(self.source)
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


class LedgerPanel(Panel, frozen=True, kw_only=True):
    """One whose `asks` are SQL over the views of `ledger_views.sql`. A course has a column `time`, and a column for each
    line; shares have a column of names and one of figures, a row for each."""

    @property
    def source(self) -> model.DataSourceRef:
        return POSTGRES

    def built(self) -> Any:
        panel = super().built()
        return panel.reduce_options(common.ReduceDataOptions().values(True)) if self.kind is Kind.SHARES else panel

    def _query(self, ref: str, name: str, expression: str) -> Any:
        return _SqlQuery(
            {
                "datasource": {"type": self.source.type_val, "uid": self.source.uid},
                "editorMode": "code",
                "format": "time_series" if self.kind is Kind.COURSE else "table",
                "rawQuery": True,
                "rawSql": expression,
                "refId": ref,
            }
        )


class _SqlQuery(UnknownDataquery):
    """The SDK knows no query of PostgreSQL's; this one is both it and its builder."""

    def build(self) -> _SqlQuery:
        return self


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


def dashboard(uid: str, title: str, says: str, rows: Mapping[str, Sequence[Panel]], *, since: str) -> Any:
    """Rows by their title; in each the story goes from left to right."""
    board = build.Dashboard(title).uid(uid).description(says).tags(["bottombox"]).readonly().timezone("browser")
    board.time(since, "now").refresh("30s")
    sources = {panel.source.uid: panel.source for panels in rows.values() for panel in panels}
    for source in sources.values():
        board.with_variable(_variable(source))
    board.with_variable(build.TextBoxVariable("docs").label("Docs at").default_value("https://docs.example/bottombox"))
    board.with_variable(build.TextBoxVariable("api").label("API at").default_value("https://bottombox.example"))
    if PROMETHEUS.uid in sources:
        board.annotation(_mark("Deploys", "bottombox_build_info"))
        board.annotation(_mark("Policy changes", "bottombox_policy_info"))
    number = 1
    for name, panels in rows.items():
        board.with_row(build.Row(name).id(number))
        for place, panel in enumerate(panels, start=number + 1):
            board.with_panel(panel.built().id(place))
        number += len(panels) + 1
    return board.build()


def _mark(title: str, metric: str) -> Any:
    """A line across the panels where a version shows that was not there five minutes ago."""
    new = f"count by (version) ({metric}) unless count by (version) ({metric} offset 5m)"
    return build.AnnotationQuery().name(title).datasource(PROMETHEUS).enable(True).icon_color("blue").expr(new)


def _variable(source: model.DataSourceRef) -> Any:
    """`${ledger}` is the variable `ledger`."""
    label = {"prometheus": "Prometheus", "postgres": "Ledger"}[str(source.type_val)]
    return build.DatasourceVariable(str(source.uid)[2:-1]).label(label).type(str(source.type_val))
