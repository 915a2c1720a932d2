"""Charts with direct labels: `from studio.ui.charts import Funnel, FunnelStep, …`.

Absent on purpose: pies, gauges, dual axes, legends to look things up in.
"""

from studio.ui.charts.bars import BarList, Funnel
from studio.ui.charts.chart import Chart, Reading
from studio.ui.charts.data import (
    BandData,
    BandPoint,
    BarItem,
    Density,
    FunnelStep,
    HeatmapData,
    LineBandData,
    Marker,
    MiniGraphData,
    MiniNode,
    Point,
)
from studio.ui.charts.lines import BandOverTime, LineBand, Sparkline
from studio.ui.charts.shapes import Densities, Heatmap, MiniGraph

__all__ = [
    "BandData",
    "BandOverTime",
    "BandPoint",
    "BarItem",
    "BarList",
    "Chart",
    "Densities",
    "Density",
    "Funnel",
    "FunnelStep",
    "Heatmap",
    "HeatmapData",
    "LineBand",
    "LineBandData",
    "Marker",
    "MiniGraph",
    "MiniGraphData",
    "MiniNode",
    "Point",
    "Reading",
    "Sparkline",
]
