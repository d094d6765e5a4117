"""HTML printed as PDF by WeasyPrint, which the extra ``pdf`` installs."""

from __future__ import annotations

from scenarios.errors import Fault, InputError, require_extra

#: Sizes of text in points, from the largest; the first with which a page holds everything is taken.
SIZES = (10.4, 10.0, 9.6, 9.2, 8.8, 8.4, 8.0, 7.6)
#: Debian's packages with the libraries that WeasyPrint loads.
LIBRARIES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


def one_page(html: str) -> bytes:
    """A page of HTML as a PDF of one page with its fonts embedded; the same page gives the same bytes.

    Raises:
        InputError: WeasyPrint or a library that it loads is missing, or the text does not fit on one page.
    """
    require_extra("a brief in PDF (--format html needs nothing)", "pdf", "weasyprint")
    try:
        from weasyprint import CSS, HTML
        from weasyprint.urls import URLFetcher
    except OSError as error:
        raise InputError(
            f"a brief in PDF needs the libraries of Pango ({error.args[0].splitlines()[0]}): install {LIBRARIES} "
            "(Debian's names), or choose --format html",
            Fault("no_printer"),
        ) from None
    source = HTML(string=html, url_fetcher=URLFetcher(allowed_protocols=()))  # the page loads nothing
    for size in SIZES:
        document = source.render(stylesheets=[CSS(string=f"html {{ font-size: {size}pt !important }}")])
        if len(document.pages) == 1:
            return document.write_pdf()
    text = "the brief does not fit on one page; shorten the title and description of its scenarios"
    raise InputError(text, Fault("too_long"))
