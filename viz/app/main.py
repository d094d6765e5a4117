"""The pages by address, as served by `viz.app.server`."""

from __future__ import annotations

import solara

from viz.app.layout import MISSING, PAGES, Layout
from viz.app.pages import calibration, chains, compare, data, map, missing, model, money, policy, stories
from viz.app.share import EMBED, EmbedPage

_COMPONENTS = {
    "policy": policy.PolicyPage,
    "stories": stories.StoriesPage,
    "map": map.MapPage,
    "chains": chains.ChainsPage,
    "compare": compare.ComparePage,
    "money": money.MoneyPage,
    "calibration": calibration.CalibrationPage,
    "model": model.ModelPage,
    "data": data.DataPage,
}

routes = [
    solara.Route(
        path.strip("/") or "/", component=_COMPONENTS[name], label=name, layout=Layout if path == "/" else None
    )
    for path, name in PAGES
] + [
    solara.Route(EMBED.strip("/"), component=EmbedPage, label="embed"),
    solara.Route(MISSING.strip("/"), component=missing.MissingPage, label="missing"),
]
