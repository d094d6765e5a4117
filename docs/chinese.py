"""What Chinese pages need: lines that join without a space, and the anchors of the English pages.

An English page without a Chinese twin is shown among the Chinese ones; its links to anchors must be found there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page
from pymdownx.slugs import slugify

_CODE = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^(#+) +(.*)$", re.MULTILINE)
#: Signs of Chinese text, full-width punctuation and quotation marks included.
_SIGN = r"[\u2018-\u201d\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
_BROKEN = re.compile(rf"(?<={_SIGN})(\*{{0,2}})\n *(?={_SIGN})")
_ARTICLE = '<article class="md-content__inner md-typeset">'


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: object) -> str:
    """Join broken lines of Chinese text, and put in the anchors of the English page if that is a file."""
    if page.file.locale != "zh":
        return markdown
    english = Path(config.docs_dir, page.file.norm_src_uri)
    anchors = _anchors(english.read_text(encoding="utf-8")) if english.is_file() else []
    parts = _CODE.split(markdown)
    texts = [part for part in parts if not part.startswith("```")]
    if sum(len(_HEADING.findall(text)) for text in texts) != len(anchors):
        # Not the whole of the English page: all its anchors lead to the beginning.
        anchors = ["".join(anchors)]
    waiting = iter(anchors)
    return "".join(part if part.startswith("```") else _joined(part, waiting) for part in parts)


def _joined(text: str, anchors: Iterator[str]) -> str:
    text = _BROKEN.sub(r"\1", text)
    return _HEADING.sub(lambda heading: f"{heading[1]} {next(anchors, '')}{heading[2]}", text)


def _anchors(english: str) -> list[str]:
    """An empty element for each heading of a page, with the name MkDocs gives to that heading."""
    slug = slugify(case="lower")
    titles = [title.replace("`", "") for _, title in _HEADING.findall(_CODE.sub("", english))]
    return [f'<span id="{slug(title, "-")}"></span>' for title in titles]


def on_post_page(output: str, page: Page, **_: object) -> str:
    """Name the language of an English page among Chinese ones, for screen readers and translators."""
    if page.file.locale == page.file.locale_alternate_of:
        return output
    return output.replace(_ARTICLE, _ARTICLE.replace(">", f' lang="{page.file.locale}">'))
