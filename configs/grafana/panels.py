"""Panels of one look: what sigfw.py builds the dashboard from."""

from typing import Final

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    DataSourceRef,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
)

SOURCE: Final = DataSourceRef(type_val="prometheus", uid="$datasource")
SELECTED: Final = 'job=~"$job",instance=~"$instance"'
WINDOW: Final = "$__rate_interval"
# The same action is the same colour everywhere.
COLOURS: Final = {"allow": "green", "hold": "blue", "redirect": "purple", "reject": "orange", "drop": "red"}
GREEN: Final[Threshold] = Threshold(value=None, color="green")
Query = tuple[str, str]  # PromQL, legend


def selected(metric: str, *matchers: str) -> str:
    return f"{metric}{{{','.join((SELECTED, *matchers))}}}"


def rate(metric: str, *matchers: str) -> str:
    return f"rate({selected(metric, *matchers)}[{WINDOW}])"


def total(by: str, metric: str, *matchers: str) -> str:
    """Rate of a counter, summed by labels (`""`: into one)."""
    return f"sum {f'by ({by}) ' if by else ''}({rate(metric, *matchers)})"


def quantiles(metric: str, name: str) -> list[Query]:
    buckets = f"sum by (le) ({rate(f'{metric}_bucket')})"
    return [(f"histogram_quantile({q}, {buckets})", f"{name} p{round(q * 100)}") for q in (0.5, 0.99)]


def target(query: Query, ref: int, *, instant: bool = False) -> prometheus.Dataquery:
    expression, legend = query
    built = prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(chr(ord("A") + ref))
    return built.instant() if instant else built.range()


def thresholds(*steps: tuple[float, str]) -> dashboard.ThresholdsConfig:
    values = [GREEN, *(Threshold(value=value, color=colour) for value, colour in steps)]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(values)


def colour(name: str) -> list[DynamicConfigValue]:
    return [DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": name})]


def graph(title: str, text: str, unit: str, *queries: Query, width: int = 8, stacked: bool = False) -> timeseries.Panel:
    panel = timeseries.Panel().title(title).description(text).datasource(SOURCE).unit(unit).min(0)
    panel = panel.span(width).height(8).line_width(1).fill_opacity(40 if stacked else 10)
    panel = panel.tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    legend = common.VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.TABLE)
    panel = panel.legend(legend.placement(LegendPlacement.BOTTOM).calcs(["lastNotNull", "max"]))
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
    for action, shade in COLOURS.items():
        panel = panel.override_by_name(action, colour(shade))
    for ref, query in enumerate(queries):
        panel = panel.with_target(target(query, ref))
    return panel


def number(
    title: str,
    text: str,
    unit: str,
    *queries: Query,
    width: int = 3,
    steps: tuple[tuple[float, str], ...] = (),
    names: bool = False,
) -> stat.Panel:
    """One figure a series; `names`: the series' names instead."""
    panel = stat.Panel().title(title).description(text).datasource(SOURCE).unit(unit).span(width).height(5)
    panel = panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    panel = panel.thresholds(thresholds(*steps)).color_scheme(dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS))
    panel = panel.color_mode(BigValueColorMode.VALUE).orientation(VizOrientation.AUTO)
    panel = panel.graph_mode(BigValueGraphMode.NONE if names else BigValueGraphMode.AREA)
    panel = panel.text_mode(BigValueTextMode.NAME if names else BigValueTextMode.AUTO)
    for ref, query in enumerate(queries):
        panel = panel.with_target(target(query, ref, instant=names))
    return panel


def bars(title: str, text: str, unit: str, query: Query, width: int = 8) -> bargauge.Panel:
    panel = bargauge.Panel().title(title).description(text).datasource(SOURCE).unit(unit).min(0).decimals(0)
    panel = panel.span(width).height(8).orientation(VizOrientation.HORIZONTAL)
    panel = panel.display_mode(BarGaugeDisplayMode.BASIC).thresholds(thresholds())
    panel = panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    return panel.with_target(target(query, 0, instant=True))
