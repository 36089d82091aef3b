"""Render the program's icon: `tldesk.svg` becomes PNGs, a Windows `.ico` and a macOS `.icns`.

Both containers may hold PNG data as it is, so nothing but Qt's SVG renderer is needed; a vector has every size in it, so each is rendered
from the drawing and never scaled down from a larger picture. It is run by hand after the drawing changes, and its results are committed.

Formats: ICO is a 6-byte header and 16 bytes an entry (little-endian); ICNS is the magic, the length, then a four-letter type and a length before
each picture (big-endian, lengths include their own 8 bytes).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from pathlib import Path

SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
ICO_SIZES = (16, 24, 32, 48, 64, 128, 256)
ICNS_TYPES = (("icp4", 16), ("icp5", 32), ("icp6", 64), ("ic07", 128), ("ic08", 256), ("ic09", 512))
"""The types that macOS reads as PNG, with the edge of each picture in pixels."""


def render_png(drawing: Path, size: int) -> bytes:
    """Render the drawing as a square PNG with transparent ground. `size` is its edge in pixels."""
    from PySide6.QtCore import QBuffer, QIODevice
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(str(drawing)).render(painter)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stub asks for bytes, Qt takes text
    return bytes(buffer.data().data())


def pack_ico(pictures: Mapping[int, bytes]) -> bytes:
    """Put PNGs, by edge in pixels, into one ICO file."""
    header = struct.pack("<HHH", 0, 1, len(ICO_SIZES))
    offset = len(header) + 16 * len(ICO_SIZES)
    entries = b""
    for size in ICO_SIZES:
        edge = size % 256  # one byte: 256 is written as 0
        entries += struct.pack("<BBBBHHII", edge, edge, 0, 0, 1, 32, len(pictures[size]), offset)
        offset += len(pictures[size])
    return header + entries + b"".join(pictures[size] for size in ICO_SIZES)


def pack_icns(pictures: Mapping[int, bytes]) -> bytes:
    """Put PNGs, by edge in pixels, into one ICNS file."""
    blocks = b"".join(
        name.encode("ascii") + struct.pack(">I", 8 + len(pictures[size])) + pictures[size] for name, size in ICNS_TYPES
    )
    return b"icns" + struct.pack(">I", 8 + len(blocks)) + blocks


def write_icons(folder: Path) -> None:
    """Write every picture beside the drawing in `folder`."""
    pictures = {size: render_png(folder / "tldesk.svg", size) for size in SIZES}
    for size, data in pictures.items():
        (folder / f"tldesk-{size}.png").write_bytes(data)
    (folder / "tldesk.ico").write_bytes(pack_ico(pictures))
    (folder / "tldesk.icns").write_bytes(pack_icns(pictures))


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    write_icons(Path(__file__).resolve().parent)
