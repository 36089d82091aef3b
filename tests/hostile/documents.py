"""Hostile documents: every way in which a text can ask a program to load, open or run something, for every kind of address.

Twenty-five ways and eight addresses make two hundred documents; each is also dressed in characters that a terminal obeys or that turn the direction
of writing. `Traps` are what they point at: a file with a secret, a FIFO that hangs whoever opens it, an address whose visitors are seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

WAYS = {
    "inline image": "![picture]({})",
    "inline link": "[read this]({} 'title')",
    "reference image": "![picture][1]\n\n[1]: {}",
    "reference link": "[read this][1]\n\n[1]: {} 'title'",
    "autolink": "<{}>",
    "img": "<img src='{}' onerror='alert(1)' width=1 height=1>",
    "img without quotes": "<img src={}>",
    "srcset": "<img srcset='{} 1x, {} 2x'>",
    "anchor": "<a href='{}' onclick='run()'>click</a>",
    "iframe": "<iframe src='{}'></iframe>",
    "object": "<object data='{}'></object>",
    "embed": "<embed src='{}'>",
    "script": "<script src='{}'></script>",
    "style sheet": "<link rel=stylesheet href='{}'>",
    "css import": "<style>@import url({});</style>",
    "css background": "<div style=\"background:url('{}')\">words</div>",
    "body background": "<body background='{}'>words</body>",
    "table background": "<table background='{}'><tr><td background='{}'>words</td></tr></table>",
    "svg image": "<svg xmlns:xlink='http://www.w3.org/1999/xlink'><image xlink:href='{}' width='9' height='9'/></svg>",
    "svg use": "<svg><use href='{}#a'/></svg>",
    "refresh": "<meta http-equiv=refresh content='0;url={}'>",
    "base": "<base href='{}'><img src='x.png'><a href='y'>y</a>",
    "form": "<form action='{}'><input type=image src='{}'></form>",
    "video": "<video poster='{}' src='{}' autoplay></video><audio src='{}' autoplay>",
    "entity": "<!DOCTYPE x [<!ENTITY e SYSTEM '{}'>]><x>&e;</x><?xml-stylesheet href='{}'?>",
}
DRESSES = (
    "{}",
    "\x1b]8;;http://e.example/\x07{}\x1b]8;;\x07",
    "\u202e{}\u202c",
    "\x1b[2J\x1b]0;owned\x07{}\x9b31m",
    "\u2066{}\u2069 \u200f",
    "```\n{}\n```",
    "> {}",
    "\x1bP+q544e\x1b\\{}\x07\x08\x7f",
)


@dataclass(frozen=True, slots=True)
class Traps:
    """What the documents point at. `visited` is the address, `host:port`, of a server that must have no visitor."""

    secret: Path
    fifo: Path
    visited: str

    def addresses(self) -> dict[str, str]:
        """Return every kind of address by its name."""
        return {
            "http": f"http://{self.visited}/seen?who=1",
            "no scheme": f"//{self.visited}/seen",
            "file": self.secret.as_uri(),
            "UNC": f"\\\\{self.visited.split(':')[0]}\\share\\secret.png",
            "javascript": f"javascript:fetch('http://{self.visited}/')",
            "data": "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg'><image href='http://e.example/a.png'/></svg>",
            "FIFO": str(self.fifo),
            "device": "file:///dev/zero",
        }


def make_documents(traps: Traps) -> Iterator[tuple[str, str]]:
    """Yield every document with what it is called."""
    for number, (way, pattern) in enumerate(WAYS.items()):
        for place, (kind, address) in enumerate(traps.addresses().items()):
            text = pattern.replace("{}", address)
            yield f"{way}, {kind}", DRESSES[(number + place) % len(DRESSES)].replace("{}", text)
