"""Plots: the figures of the operations view over time, drawn by pyqtgraph in the colors of the theme.

This module is imported when the view is opened and not before: pyqtgraph and numpy take half a second. Nothing can be dragged or zoomed; what stands
under the pointer is said in words, and each plot has the same values as text for who does not see it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QToolTip, QVBoxLayout, QWidget

from desktop.gui.operations_series import PlotContent, Series, axis_money, label, short_number
from desktop.gui.theme.style import Theme, scaled, small_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words, named_frame, plain_tip

PLOT_HEIGHT = 21 * SPACE
LABEL_PIXELS = 64
_BAR_WIDTH = 0.72
_LINE_WIDTH = 2
_DOT_SIZE = 5
_ROOM_ABOVE = 1.1
_SWATCH = 9


class PlotCard(QWidget):
    """One plot with its title and legend."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._keys: tuple[str, ...] = ()
        self._content: PlotContent | None = None
        self._title = Words()
        self._title.setFont(scaled(self.font(), 0.94, weight=self.font().Weight.DemiBold))
        self._legend = _Legend(theme)
        self.plot = _Plot(theme)
        self._nothing = Words("Nothing in this time", kind="faint", centered=True)
        frame = named_frame("card")
        head = QHBoxLayout()
        head.addWidget(self._title)
        head.addStretch()
        head.addWidget(self._legend)
        self._either = QStackedWidget()
        self._either.addWidget(self.plot)
        self._either.addWidget(self._nothing)
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(SPACE + 4, SPACE, SPACE + 4, SPACE // 2)
        inside.setSpacing(SPACE // 2)
        inside.addLayout(head)
        inside.addWidget(self._either, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(frame)
        self.setMinimumHeight(PLOT_HEIGHT)
        # As wide as there is room for, whatever is drawn: those of one row have one width.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        theme.changed.connect(self._draw)

    def show_content(self, keys: Sequence[str], content: PlotContent) -> None:
        """Draw other values."""
        self._keys, self._content = tuple(keys), content
        self._title.setText(content.title)
        spoken = content.spoken(keys)
        self.plot.setAccessibleName(content.title)
        self.plot.setAccessibleDescription(spoken)
        self.setAccessibleName(content.title)
        self.setAccessibleDescription(spoken)
        self._draw()

    def _draw(self) -> None:
        if self._content is None:
            return
        self._legend.show_series(self._content.series if len(self._content.series) > 1 else ())
        self._either.setCurrentWidget(self._nothing if self._content.is_empty else self.plot)
        self.plot.draw(self._keys, self._content)


class _Plot(pg.PlotWidget):  # type: ignore[misc]
    """Draws bars or lines over buckets. It takes no part in the keyboard: nothing can be done in it."""

    def __init__(self, theme: Theme) -> None:
        self._buckets = _BucketAxis()
        self._values = _ValueAxis()
        super().__init__(axisItems={"bottom": self._buckets, "left": self._values})
        self._theme = theme
        self._keys: tuple[str, ...] = ()
        self._content: PlotContent | None = None
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAntialiasing(True)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setMouseEnabled(x=False, y=False)
        self.setMouseTracking(True)
        self.setFrameShape(pg.PlotWidget.Shape.NoFrame)
        small = small_font(self.font())
        for axis in (self._buckets, self._values):
            axis.setStyle(
                tickFont=small, tickLength=0, tickTextOffset=SPACE // 2, hideOverlappingLabels=LABEL_PIXELS // 2
            )
            # Behind what is drawn, or its lines would cut the bars.
            axis.setZValue(-1)
            axis.enableAutoSIPrefix(False)
        # Room for the half of a label that stands out beyond the last bar, and above the highest value.
        self.getPlotItem().layout.setContentsMargins(0, SPACE // 2, 2 * SPACE + 4, 0)
        self._values.setWidth(6 * SPACE)
        self._buckets.setHeight(3 * SPACE)

    def draw(self, keys: tuple[str, ...], content: PlotContent) -> None:
        """Draw other values, in the colors of now."""
        self._keys, self._content = keys, content
        t = self._theme.tokens
        self._buckets.keys = keys
        self._values.describe = (
            axis_money if content.title == "Spend" else _seconds if content.is_line else short_number
        )
        self._values.is_whole = content.is_whole
        self.setBackground(QColor(t.raised))
        for axis in (self._buckets, self._values):
            axis.setPen(pg.mkPen(t.line))
            axis.setTextPen(pg.mkPen(t.faint))
        self.clear()
        self.showGrid(x=False, y=False)
        top = self._draw_bars(content) if not content.is_line else self._draw_lines(content)
        # Lines behind the values, where the axis has its numbers.
        self._values.setGrid(40 if not t.is_dark else 60)
        self.setXRange(-0.6, max(1, len(keys)) - 0.4, padding=0)
        least = 4 if content.is_whole else 0
        self.setYRange(0, max(top * _ROOM_ABOVE, least) or 1, padding=0)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        words = self.words_at(event.position())
        if words:
            QToolTip.showText(event.globalPosition().toPoint(), plain_tip(words), self)
        else:
            QToolTip.hideText()
        super().mouseMoveEvent(event)

    def words_at(self, position: QPointF) -> str:
        """Say what is drawn under a point of the view, '' for nothing."""
        place = self._place_at(position)
        if place is None or self._content is None:
            return ""
        return f"{label(self._keys[place])}: {self._content.words(place)}"

    def wheelEvent(self, event: QWheelEvent) -> None:
        # The page scrolls, not the plot.
        event.ignore()

    def _place_at(self, position: QPointF) -> int | None:
        view = self.getPlotItem().getViewBox()
        place = round(view.mapSceneToView(self.mapToScene(position.toPoint())).x())
        inside = view.sceneBoundingRect().contains(self.mapToScene(position.toPoint()))
        return place if inside and 0 <= place < len(self._keys) else None

    def _draw_bars(self, content: PlotContent) -> float:
        below = np.zeros(len(self._keys))
        top = 0.0
        for series in content.series:
            heights = np.nan_to_num(np.array(series.values, dtype=float))
            brush = QColor(getattr(self._theme.tokens, series.color))
            places = np.arange(len(heights))
            bars = pg.BarGraphItem(x=places, y0=below, height=heights, width=_BAR_WIDTH, pen=None, brush=brush)
            self.addItem(bars)
            top = max(top, float(np.max(below + heights, initial=0.0)))
            below = below + heights if content.is_stacked else below
        return top

    def _draw_lines(self, content: PlotContent) -> float:
        top = 0.0
        for series in content.series:
            values = np.array(series.values, dtype=float)
            pen = pg.mkPen(getattr(self._theme.tokens, series.color), width=_LINE_WIDTH)
            dots = _lonely(values)
            self.plot(np.arange(len(values)), values, pen=pen, connect="finite", antialias=True)
            if dots.any():
                self.plot(
                    np.flatnonzero(dots),
                    values[dots],
                    pen=None,
                    symbol="o",
                    symbolSize=_DOT_SIZE,
                    symbolPen=None,
                    symbolBrush=pen.color(),
                )
            top = max(top, float(np.nanmax(values, initial=0.0)))
        return top


class _BucketAxis(pg.AxisItem):  # type: ignore[misc]
    """Days or hours, as many labels as there is room for."""

    def __init__(self) -> None:
        super().__init__("bottom")
        self.keys: tuple[str, ...] = ()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[int]]]:  # noqa: N803 - pyqtgraph's own
        room = max(1, int(size // LABEL_PIXELS))
        step = max(1, -(-len(self.keys) // room))
        # Counted from the newest: that one always has its label.
        return [(step, list(range(len(self.keys) - 1, -1, -step)))]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [label(self.keys[int(value)]) if 0 <= int(value) < len(self.keys) else "" for value in values]


class _ValueAxis(pg.AxisItem):  # type: ignore[misc]
    """Numbers, seconds or dollars, in few steps."""

    def __init__(self) -> None:
        super().__init__("left")
        self.describe: Callable[[float], str] = short_number
        self.is_whole = False

    def boundingRect(self) -> QRectF:
        # With a grid pyqtgraph leaves no room for the labels at the ends, and drops the zero.
        rect: QRectF = super().boundingRect()
        return rect.adjusted(0, -SPACE, 0, SPACE)

    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, float]]:  # noqa: N803 - pyqtgraph's own
        rough = (maxVal - minVal) / 3.2
        power = 10.0 ** np.floor(np.log10(rough)) if rough > 0 else 1.0
        step = min((s * power for s in (1, 2, 5, 10)), key=lambda s: abs(s - rough))
        return [(max(step, 1.0) if self.is_whole else float(step), 0)]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [self.describe(value) for value in values]


class _Legend(QWidget):
    """Colors and names of series on one line."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._series: tuple[Series, ...] = ()
        self.setFont(small_font(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)

    def show_series(self, series: tuple[Series, ...]) -> None:
        """Name other series."""
        self._series = series
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(sum(self._width(s) for s in self._series), self.fontMetrics().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        t, painter, left = self._theme.tokens, QPainter(self), 0
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for series in self._series:
            top = (self.height() - _SWATCH) / 2
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(getattr(t, series.color)))
            painter.drawRoundedRect(QRectF(left + SPACE, top, _SWATCH, _SWATCH), 2, 2)
            painter.setPen(QColor(t.muted))
            text = QRectF(left + SPACE + _SWATCH + 4, 0, self._width(series), self.height())
            painter.drawText(text, int(Qt.AlignmentFlag.AlignVCenter), series.name)
            left += self._width(series)
        painter.end()

    def _width(self, series: Series) -> int:
        return self.fontMetrics().horizontalAdvance(series.name) + SPACE + _SWATCH + 6


def _seconds(value: float) -> str:
    return f"{value:g} s"


def _lonely(values: Any) -> Any:
    """Tell which values have none beside them: no line leads there, so they get a dot."""
    there = np.isfinite(values)
    before, after = np.roll(there, 1), np.roll(there, -1)
    if len(values):
        before[0] = after[-1] = False
    return there & ~before & ~after
