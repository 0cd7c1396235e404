"""The weekly page as one HTML file, or as plain text."""

from __future__ import annotations

from html import escape

from alerts.insights.share import share_of
from alerts.learning.week import WeekFigures
from app.report.charts import causes_chart, days_chart
from app.report.sentences import Chapter, chapters

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 sans-serif; color: #222; margin: 2em auto; max-width: 42em; padding: 0 1em }}
h1, h2 {{ line-height: 1.2 }} svg {{ max-width: 100%; height: auto }} footer {{ color: #666; font-size: 13px }}
</style>
<h1>{title}</h1>
{chapters}
<footer>Days are cut in UTC. Ranges hold the true value 95 times of 100; the dashed line is what is usual.</footer>
</html>
"""


def html_page(figures: WeekFigures) -> str:
    charts = {"days": _days(figures), "causes": causes_chart(figures.causes) if figures.causes else ""}
    body = "\n".join(_chapter(each, charts.get(each.chart or "", "")) for each in chapters(figures))
    return PAGE.format(title=escape(_title(figures)), chapters=body)


def text_page(figures: WeekFigures) -> str:
    return "\n".join([f"{_title(figures)}\n", *map(_plain, chapters(figures))])


def _plain(chapter: Chapter) -> str:
    return f"{chapter.title}\n" + "".join(f"  - {sentence}\n" for sentence in chapter.sentences)


def _title(figures: WeekFigures) -> str:
    week = figures.week
    return f"Week {week.name}: {week.days[0]} to {week.days[-1]}"


def _days(figures: WeekFigures) -> str:
    shares = [share_of(day.count, day.of) for day in figures.days]
    return days_chart([f"{day:%a}" for day in figures.week.days], shares, figures.change.before)


def _chapter(chapter: Chapter, chart: str) -> str:
    sentences = "".join(f"<li>{escape(sentence)}</li>" for sentence in chapter.sentences)
    return f"<h2>{escape(chapter.title)}</h2>\n<ul>{sentences}</ul>\n{chart}"
