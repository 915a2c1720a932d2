"""The style sheet for Qt's own controls, written from the tokens: fields, buttons, menus, tables, tabs, scroll bars.

Absent on purpose: what our own widgets paint (cards, pills, charts), and fonts of labels (see `widgets.labels`).
Selectors use the dynamic properties `kind`, `keyFocus` and `invalid`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from studio import resources
from studio.ui.tokens import CONTROL_HEIGHT, FONT_FAMILY, RADIUS_CONTROL, Palette

_PICTURES: Mapping[str, tuple[str, str]] = {
    "chevron-down": ("chevron-down", "text_muted"),
    "chevron-up": ("chevron-up", "text_muted"),
    "chevron-right": ("chevron-right", "text_muted"),
    "chevron-left": ("chevron-left", "text_muted"),
    "check": ("check", "on_accent"),
    "check-menu": ("check", "accent_text"),
    "minus": ("minus", "on_accent"),
}


def write_pictures(palette: Palette, folder: Path) -> Mapping[str, str]:
    """Writes the small pictures that style sheets refer to; name → path with forward slashes."""
    written: dict[str, str] = {}
    for name, (icon, colour) in _PICTURES.items():
        text = resources.path("icons", f"{icon}.svg").read_text(encoding="utf-8")
        shade = palette.colour(colour)
        file = folder / f"{name}-{shade.removeprefix('#')}.svg"
        file.write_text(text.replace("currentColor", shade).replace('stroke-width="2"', 'stroke-width="2.5"'))
        written[name] = file.as_posix()
    return written


def build(p: Palette, px: Callable[[float], int], pictures: Mapping[str, str]) -> str:
    """The whole sheet. `px` scales text-bound sizes."""
    parts = (_buttons, _segments, _fields, _choices, _menus, _tables, _tabs, _scrolling, _small)
    return "\n".join(part(p, px, pictures) for part in parts)


def _buttons(p: Palette, px: Callable[[float], int], _pictures: Mapping[str, str]) -> str:
    height = max(CONTROL_HEIGHT, px(CONTROL_HEIGHT * 0.8)) - 2
    return f"""
QPushButton {{
    font-family: "{FONT_FAMILY}"; font-size: {px(13)}px; font-weight: 500; color: {p.text};
    background: {p.surface}; border: 1px solid {p.border}; border-radius: {RADIUS_CONTROL}px;
    min-height: {height}px; padding: 0 11px;
}}
QPushButton:hover {{ background: {p.hover}; }}
QPushButton:pressed {{ background: {p.sunken}; }}
QPushButton:disabled {{ color: {p.text_disabled}; }}
QPushButton[keyFocus="true"] {{ border: 2px solid {p.accent}; padding: 0 10px; min-height: {height - 2}px; }}
QPushButton[kind="primary"] {{ color: {p.on_accent}; background: {p.accent}; border-color: {p.accent}; }}
QPushButton[kind="primary"]:hover {{ background: {p.accent_hover}; border-color: {p.accent_hover}; }}
QPushButton[kind="primary"]:pressed {{ background: {p.accent_pressed}; border-color: {p.accent_pressed}; }}
QPushButton[kind="primary"]:disabled {{
    color: {p.text_disabled}; background: {p.sunken}; border-color: {p.sunken};
}}
QPushButton[kind="primary"][keyFocus="true"] {{ border: 2px solid {p.text}; }}
QPushButton[kind="danger"] {{ color: {p.bad_text}; }}
QPushButton[kind="link"], QPushButton[kind="quiet-link"] {{
    background: transparent; border: 1px solid transparent; border-radius: 4px; padding: 0 2px;
    min-height: {px(18)}px; color: {p.accent_text}; font-size: {px(12)}px;
}}
QPushButton[kind="quiet-link"] {{ color: {p.text_muted}; font-weight: 400; }}
QPushButton[kind="link"]:hover, QPushButton[kind="quiet-link"]:hover {{ text-decoration: underline; }}
QPushButton[kind="link"]:disabled {{ color: {p.text_disabled}; }}
QPushButton[kind="link"][keyFocus="true"], QPushButton[kind="quiet-link"][keyFocus="true"] {{
    border: 2px solid {p.accent}; padding: 0 1px;
}}
QPushButton[kind="pill"] {{
    font-size: {px(12)}px; font-weight: 400; color: {p.text_secondary};
    min-height: {px(22)}px; border-radius: {px(22) // 2 + 1}px; padding: 0 10px;
}}
QPushButton[kind="pill"]:checked {{
    color: {p.accent_text}; background: {p.accent_soft}; border-color: {p.accent_soft};
}}
QPushButton[kind="pill"][keyFocus="true"] {{
    border: 2px solid {p.accent}; padding: 0 9px; min-height: {px(22) - 2}px;
}}
QPushButton[kind="workspace"] {{
    font-weight: 600; border-color: transparent; background: transparent; padding: 0 8px;
}}
QPushButton[kind="workspace"]:hover {{ background: {p.hover}; }}
QPushButton[kind="workspace"][keyFocus="true"] {{ border: 2px solid {p.accent}; padding: 0 7px; }}
QPushButton[hasMenu="true"] {{ padding-right: 26px; }}
QToolButton {{
    background: transparent; border: 1px solid transparent; border-radius: {RADIUS_CONTROL}px; padding: 4px;
    color: {p.text}; font-size: {px(13)}px;
}}
QToolButton:hover {{ background: {p.hover}; border-color: {p.border}; }}
QToolButton:pressed, QToolButton:checked {{ background: {p.accent_soft}; color: {p.accent_text}; }}
QToolButton[keyFocus="true"] {{ border: 2px solid {p.accent}; padding: 3px; }}
QToolButton::menu-indicator {{ image: none; }}
"""


def _segments(p: Palette, px: Callable[[float], int], _pictures: Mapping[str, str]) -> str:
    height = max(CONTROL_HEIGHT, px(CONTROL_HEIGHT * 0.8)) - 4
    return f"""
QPushButton[kind="segment"] {{
    background: transparent; border: none; border-radius: 0; padding: 0 12px; min-height: {height}px;
    color: {p.text_secondary}; font-weight: 500;
}}
QPushButton[kind="segment"]:hover {{ color: {p.text}; }}
QPushButton[kind="segment"]:checked {{ color: {p.accent_text}; font-weight: 600; }}
QPushButton[kind="segment"]:disabled {{ color: {p.text_disabled}; }}
"""


def _fields(p: Palette, px: Callable[[float], int], pictures: Mapping[str, str]) -> str:
    height = max(CONTROL_HEIGHT, px(CONTROL_HEIGHT * 0.8)) - 2
    return f"""
QLineEdit, QComboBox, QAbstractSpinBox {{
    font-size: {px(13)}px; color: {p.text}; background: {p.surface}; border: 1px solid {p.border};
    border-radius: {RADIUS_CONTROL}px; min-height: {height}px; padding: 0 10px;
    selection-background-color: {p.accent}; selection-color: {p.on_accent};
}}
QPlainTextEdit, QTextEdit {{
    font-size: {px(13)}px; color: {p.text}; background: {p.surface}; border: 1px solid {p.border};
    border-radius: {RADIUS_CONTROL}px; padding: 6px;
    selection-background-color: {p.accent}; selection-color: {p.on_accent};
}}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QComboBox:focus, QAbstractSpinBox:focus {{
    border-color: {p.accent};
}}
QLineEdit[keyFocus="true"], QComboBox[keyFocus="true"], QAbstractSpinBox[keyFocus="true"] {{
    border: 2px solid {p.accent}; padding: 0 9px; min-height: {height - 2}px;
}}
QPlainTextEdit[keyFocus="true"], QTextEdit[keyFocus="true"] {{ border: 2px solid {p.accent}; padding: 5px; }}
QLineEdit[invalid="true"], QComboBox[invalid="true"], QAbstractSpinBox[invalid="true"],
QPlainTextEdit[invalid="true"] {{ border-color: {p.bad_text}; }}
QLineEdit:disabled, QComboBox:disabled, QAbstractSpinBox:disabled, QPlainTextEdit:disabled {{
    color: {p.text_disabled}; background: {p.canvas};
}}
QLineEdit:read-only {{ background: {p.canvas}; }}
QComboBox {{ padding-right: 26px; }}
QComboBox::drop-down {{ border: none; width: {px(24)}px; }}
QComboBox::down-arrow {{ image: url("{pictures["chevron-down"]}"); width: {px(14)}px; height: {px(14)}px; }}
QComboBox QAbstractItemView {{
    background: {p.surface}; color: {p.text}; border: 1px solid {p.border}; outline: none; padding: 4px;
    selection-background-color: {p.accent_soft}; selection-color: {p.text};
}}
QComboBox QLineEdit, QAbstractSpinBox QLineEdit {{
    border: none; padding: 0; min-height: 0; background: transparent;
}}
QAbstractSpinBox {{ min-height: {height - 3}px; }}
QLineEdit[kind="search"] {{ padding: 0 4px; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ border: none; width: 20px; background: transparent; }}
QAbstractSpinBox::up-arrow {{ image: url("{pictures["chevron-up"]}"); width: 12px; height: 12px; }}
QAbstractSpinBox::down-arrow {{ image: url("{pictures["chevron-down"]}"); width: 12px; height: 12px; }}
"""


def _choices(p: Palette, px: Callable[[float], int], pictures: Mapping[str, str]) -> str:
    side = px(16)
    return f"""
QCheckBox, QRadioButton {{
    font-size: {px(13)}px; color: {p.text}; spacing: 8px; padding: 2px; background: transparent;
}}
QCheckBox:disabled, QRadioButton:disabled {{ color: {p.text_disabled}; }}
QCheckBox::indicator, QRadioButton::indicator, QListView::indicator, QTreeView::indicator, QTableView::indicator {{
    width: {side - 2}px; height: {side - 2}px; border: 1px solid {p.control_border}; border-radius: 4px;
    background: {p.surface};
}}
QRadioButton::indicator {{ border-radius: {side // 2}px; }}
QCheckBox::indicator:hover, QRadioButton::indicator:hover {{ border-color: {p.accent}; }}
QCheckBox::indicator:checked, QListView::indicator:checked, QTreeView::indicator:checked,
QTableView::indicator:checked {{
    background: {p.accent}; border-color: {p.accent}; image: url("{pictures["check"]}");
}}
QCheckBox::indicator:indeterminate {{
    background: {p.accent}; border-color: {p.accent}; image: url("{pictures["minus"]}");
}}
QRadioButton::indicator:checked {{
    background: {p.surface}; border: {max(4, side // 4)}px solid {p.accent};
    width: {side - 2 * max(4, side // 4)}px; height: {side - 2 * max(4, side // 4)}px;
}}
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {{
    border-color: {p.border}; background: {p.sunken};
}}
QCheckBox[keyFocus="true"], QRadioButton[keyFocus="true"] {{
    border: 2px solid {p.accent}; border-radius: 6px; padding: 0;
}}
QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {p.sunken}; }}
QSlider::sub-page:horizontal {{ height: 4px; border-radius: 2px; background: {p.accent}; }}
QSlider::handle:horizontal {{
    width: 14px; height: 14px; margin: -6px 0; border-radius: 8px; background: {p.surface};
    border: 1px solid {p.control_border};
}}
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus {{ border: 2px solid {p.accent}; width: 12px; }}
"""


def _menus(p: Palette, px: Callable[[float], int], pictures: Mapping[str, str]) -> str:
    return f"""
QMenu {{
    background: {p.surface}; color: {p.text}; border: 1px solid {p.border}; padding: 5px; font-size: {px(13)}px;
}}
QMenu::item {{ padding: {px(6)}px 24px {px(6)}px 10px; border-radius: 6px; border: none; }}
QMenu::item:selected {{ background: {p.accent_soft}; color: {p.text}; }}
QMenu::item:disabled {{ color: {p.text_disabled}; background: transparent; }}
QMenu::icon {{ padding-left: 8px; }}
QMenu::indicator {{ width: 14px; height: 14px; padding-left: 6px; }}
QMenu::indicator:checked {{ image: url("{pictures["check-menu"]}"); }}
QMenu::right-arrow {{ image: url("{pictures["chevron-right"]}"); width: 14px; height: 14px; }}
QMenu::separator {{ height: 1px; background: {p.hairline}; margin: 5px 4px; }}
QToolTip {{
    background: {p.surface}; color: {p.text}; border: 1px solid {p.border}; padding: 5px 7px; font-size: {px(12)}px;
}}
"""


def _tables(p: Palette, px: Callable[[float], int], pictures: Mapping[str, str]) -> str:
    return f"""
QTableView, QTreeView, QListView {{
    background: transparent; color: {p.text}; border: none; outline: none; font-size: {px(13)}px;
    gridline-color: {p.hairline}; selection-background-color: {p.accent_soft}; selection-color: {p.text};
}}
QTreeView::item, QListView::item {{ min-height: {px(28)}px; border: none; }}
QTreeView::item:hover, QListView::item:hover {{ background: {p.hover}; }}
QTreeView::item:selected, QListView::item:selected {{ background: {p.accent_soft}; color: {p.text}; }}
QTreeView::branch:has-children:closed {{ image: url("{pictures["chevron-right"]}"); }}
QTreeView::branch:has-children:open {{ image: url("{pictures["chevron-down"]}"); }}
QHeaderView {{ background: transparent; border: none; }}
QHeaderView::section {{
    background: transparent; color: {p.text_muted}; border: none; border-bottom: 1px solid {p.border};
    padding: {px(6)}px 10px; font-size: {px(12)}px; font-weight: 500;
}}
QHeaderView::section:hover {{ color: {p.text}; }}
QHeaderView::up-arrow, QHeaderView::down-arrow {{ width: 0; height: 0; }}
QTableCornerButton::section {{ background: transparent; border: none; }}
"""


def _tabs(p: Palette, px: Callable[[float], int], pictures: Mapping[str, str]) -> str:
    return f"""
QTabWidget::pane {{ border: none; border-top: 1px solid {p.border}; }}
QTabBar {{ background: transparent; qproperty-drawBase: 0; }}
QTabBar::tab {{
    background: transparent; color: {p.text_muted}; border: none; border-bottom: 2px solid transparent;
    font-size: {px(13)}px; font-weight: 400; padding: {px(10)}px 0 {px(9)}px 0; margin: 0 9px;
}}
QTabBar::scroller {{ width: {px(26)}px; }}
QTabBar QToolButton {{ background: {p.surface}; border: none; }}
QTabBar QToolButton::left-arrow {{ image: url("{pictures["chevron-left"]}"); width: {px(16)}px; height: {px(16)}px; }}
QTabBar QToolButton::right-arrow {{ image: url("{pictures["chevron-right"]}"); width: {px(16)}px; height: {px(16)}px; }}
QTabBar::tear {{ width: 0; border: none; }}
QTabBar::tab:first {{ margin-left: 15px; }}
QTabBar::tab:hover {{ color: {p.text}; }}
QTabBar::tab:selected {{ color: {p.accent_text}; font-weight: 600; border-bottom-color: {p.accent}; }}
QTabBar[keyFocus="true"]::tab:selected {{ background: {p.accent_soft}; }}
QSplitter::handle {{ background: {p.border}; }}
QSplitter::handle:horizontal {{ width: 1px; }}
QSplitter::handle:vertical {{ height: 1px; }}
QSplitter::handle:hover {{ background: {p.accent}; }}
"""


def _scrolling(p: Palette, _px: Callable[[float], int], _pictures: Mapping[str, str]) -> str:
    return f"""
QScrollArea, QScrollArea > QWidget > QWidget#scrollContent {{ background: transparent; border: none; }}
QAbstractScrollArea::corner {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {p.scroll}; border-radius: 3px; margin: 2px; }}
QScrollBar::handle:vertical {{ min-height: 28px; }}
QScrollBar::handle:horizontal {{ min-width: 28px; }}
QScrollBar::handle:hover {{ background: {p.text_muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""


def _small(p: Palette, px: Callable[[float], int], _pictures: Mapping[str, str]) -> str:
    return f"""
QGroupBox {{
    font-size: {px(13)}px; font-weight: 600; border: 1px solid {p.border}; border-radius: {RADIUS_CONTROL}px;
    margin-top: {px(20)}px; padding: 8px;
}}
QGroupBox::title {{ subcontrol-origin: margin; left: 2px; }}
QDialog {{ background: {p.surface}; }}
QProgressBar {{ border: none; background: transparent; }}
"""
