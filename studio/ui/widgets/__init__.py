"""The parts that screens are made of. `from studio.ui.widgets import Card, Text, …`.

Absent on purpose: anything that knows a workflow, a run or a contact.
"""

from studio.ui.widgets.buttons import (
    Button,
    Chip,
    DangerButton,
    IconButton,
    LinkButton,
    MenuButton,
    MenuChip,
    PrimaryButton,
    SecondaryButton,
    Segmented,
)
from studio.ui.widgets.card import Card, Stat, StatCard
from studio.ui.widgets.facts import FactList, Hairline, ParameterRow, confidence_tone
from studio.ui.widgets.fields import DecimalField, Field, NumberField, SearchField
from studio.ui.widgets.frames import Panes, ScrollColumn, SidePanel
from studio.ui.widgets.labels import ElidingLabel, LiveText, PageHeader, Paragraph, SectionTitle, Text
from studio.ui.widgets.layout import STRETCH, clear, column, panel, row
from studio.ui.widgets.lists import Choice, ChoiceList, ItemRow, RowList
from studio.ui.widgets.marks import BANDS, Badge, Bar, Dot, Pill, ProgressLine, Ring, StatePill, confidence_colour
from studio.ui.widgets.messages import EmptyState, ErrorPanel, Pane, Working
from studio.ui.widgets.reflow import FlowLayout, GridFlow, SideBySide, flowing
from studio.ui.widgets.table import Table
from studio.ui.widgets.table_cells import Column
from studio.ui.widgets.tabs import Tabs
from studio.ui.widgets.trees import wrap_lines

__all__ = [
    "BANDS",
    "STRETCH",
    "Badge",
    "Bar",
    "Button",
    "Card",
    "Chip",
    "Choice",
    "ChoiceList",
    "Column",
    "DangerButton",
    "DecimalField",
    "Dot",
    "ElidingLabel",
    "EmptyState",
    "ErrorPanel",
    "FactList",
    "Field",
    "FlowLayout",
    "GridFlow",
    "Hairline",
    "IconButton",
    "ItemRow",
    "LinkButton",
    "LiveText",
    "MenuButton",
    "MenuChip",
    "NumberField",
    "PageHeader",
    "Pane",
    "Panes",
    "Paragraph",
    "ParameterRow",
    "Pill",
    "PrimaryButton",
    "ProgressLine",
    "Ring",
    "RowList",
    "ScrollColumn",
    "SearchField",
    "SecondaryButton",
    "SectionTitle",
    "Segmented",
    "SideBySide",
    "SidePanel",
    "Stat",
    "StatCard",
    "StatePill",
    "Table",
    "Tabs",
    "Text",
    "Working",
    "clear",
    "column",
    "confidence_colour",
    "confidence_tone",
    "flowing",
    "panel",
    "row",
    "wrap_lines",
]
