"""Markup: untrusted Markdown as HTML that does nothing: no raw HTML, no images, only http, https and mailto links."""

from __future__ import annotations

_ALLOWED_TAGS = {"p", "strong", "em", "ul", "ol", "li", "a", "br", "code", "h2", "h3", "h4", "blockquote", "pre"}


def render_markdown(text: str) -> str:
    """Turn untrusted Markdown into safe HTML."""
    import markdown
    import nh3

    # Without these two, raw HTML is shown as the text it is; nh3 behind it is the wall that does not depend on that.
    converter = markdown.Markdown(output_format="html")
    converter.preprocessors.deregister("html_block")
    converter.inlinePatterns.deregister("html")
    html = converter.convert(text)
    return str(
        nh3.clean(
            html,
            tags=_ALLOWED_TAGS,
            attributes={"a": {"href"}},
            url_schemes={"http", "https", "mailto"},
            link_rel="noopener noreferrer",
        )
    )
