"""A page with every kind of chart and a network, for test_widgets.py; ?lang=zh and ?dark=1 change its look."""

from __future__ import annotations

from urllib.parse import parse_qs

import numpy as np
import solara
import solara.lab

from scenarios.display.drawing import OKABE_ITO
from viz.app.widgets.chart import Chart, band, bar, interval, interval_chart, line, points, time_chart
from viz.app.widgets.network import Network, network, radial_layout
from viz.app.widgets.province_map import TEXTS as SQUARE_TEXTS
from viz.app.widgets.province_map import ProvinceMap, square_map
from viz.shared.province_squares import LAYOUT, levels
from viz.words.language import Words

BLUE, ORANGE, GREEN, PINK = OKABE_ITO[:4]
NODES = 3000
#: Counts of 31 provinces, the nation last.
TIES = 500.0 * np.arange(32) + 0.5 * np.arange(32) + 10.0

TEXTS = {
    "en": {
        "table": "Table",
        "chart": "Chart",
        "csv": "Download CSV",
        "png": "Download PNG",
        "svg": "Download SVG",
        "tools": "Table and files",
        "x": "Quarter",
        "row": "Quantity",
        "low": "low",
        "median": "median",
        "high": "high",
        "note": "note",
        "made": "{source}. Made on {day}.",
        "interval": "{low} to {high}",
        "at_least": "{value} or more",
        "at_most": "{value} or less",
        "quarter": "Q{number} {year}",
        "points": "{number} points",
        "points_unit": "percentage points",
        "empty": "No numbers",
        "network": "Network",
        "search": "Find a firm",
        "found": "{number} found",
        "closer": "Zoom in",
        "farther": "Zoom out",
        "whole": "Show all",
        "neighbours": "Linked to {name} ({number})",
        "no_neighbours": "{name} has no links",
        "further": "and {number} more",
        "clear": "Clear",
        "help": "Arrow keys move, + and - zoom, 0 shows all",
        "wheel": "Hold Ctrl to zoom with the wheel",
    },
    "zh": {
        "table": "表格",
        "chart": "图",
        "csv": "下载 CSV",
        "png": "下载 PNG",
        "svg": "下载 SVG",
        "tools": "表格与文件",
        "x": "季度",
        "row": "指标",
        "low": "下限",
        "median": "中位数",
        "high": "上限",
        "note": "说明",
        "made": "{source}。制作日期：{day}。",
        "interval": "{low} 至 {high}",
        "at_least": "{value}以上",
        "at_most": "{value}以下",
        "quarter": "{year}年第{number}季度",
        "points": "{number}个百分点",
        "points_unit": "百分点",
        "empty": "无数据",
        "network": "网络",
        "search": "查找企业",
        "found": "找到{number}家",
        "closer": "放大",
        "farther": "缩小",
        "whole": "显示全部",
        "neighbours": "与{name}相连（{number}家）",
        "no_neighbours": "{name}没有关联企业",
        "further": "另有{number}家",
        "clear": "清除",
        "help": "方向键移动，+ 和 - 缩放，0 显示全部",
        "wheel": "按住 Ctrl 键并滚动滚轮可缩放",
    },
}
NAMES = {
    "en": {
        "giants": "Little giants",
        "firms": "firms",
        "spent": "Public spending",
        "yuan": "yuan a year",
        "change": "Share of firms with a patent, difference",
        "share": "Share of firms",
        "reported": "Reported against simulated",
        "effects": "Effects at the end of 2030",
        "baseline": "Baseline",
        "policy": "With awards",
        "half": "50% of runs",
        "most": "90% of runs",
        "figure": "Reported",
        "source": "ministry",
        "kinds": ["Awards", "Digital", "Clusters", "Loans"],
        "rows": [
            "Little giants",
            "Specialised firms",
            "Innovative firms",
            "Employment of little giants",
            "Patents",
            "Loans",
        ],
        "outcomes": ["Little giants", "Specialised and sophisticated firms", "Exporters", "Closures"],
        "simulated": "Simulated, 90%",
        "difference": "Difference, 90%",
        "ownership": "Private",
        "state": "State-owned",
        "groups": ["Leader", "Supplier", "Second tier", "Third tier"],
        "firm": "Firm {number}",
        "empty": "Nothing yet",
    },
    "zh": {
        "giants": "专精特新“小巨人”企业",
        "firms": "家",
        "spent": "财政支出",
        "yuan": "元/年",
        "change": "有专利企业占比之差",
        "share": "企业占比",
        "reported": "公布数据与模拟结果",
        "effects": "2030年末的政策效果",
        "baseline": "基准情景",
        "policy": "奖补情景",
        "half": "50%的运行",
        "most": "90%的运行",
        "figure": "公布数据",
        "source": "工信部",
        "kinds": ["奖补", "数字化", "集群", "贷款"],
        "rows": ["“小巨人”企业", "专精特新中小企业", "创新型中小企业", "“小巨人”企业从业人员", "专利", "贷款"],
        "outcomes": ["“小巨人”企业", "专精特新中小企业", "出口企业", "注销企业"],
        "simulated": "模拟，90%",
        "difference": "差异，90%",
        "ownership": "民营",
        "state": "国有",
        "groups": ["链主", "供应商", "二级供应商", "三级供应商"],
        "firm": "企业{number}",
        "empty": "暂无",
    },
}

#: Raised by a button: the numbers of every chart follow from it.
turn = solara.reactive(0)
quarters = [f"{year}Q{number}" for year in range(2019, 2031) for number in range(1, 5)]


def charts(turn: int, language: str, dark: bool) -> list[dict]:
    """One spec of each kind, with numbers that follow from the turn."""
    names, texts = NAMES[language], TEXTS[language]
    common = {"texts": texts, "language": language, "dark": dark}
    steps = np.arange(len(quarters))
    rise = 1.0 / (1.0 + np.exp(-(steps - 20.0) / (7.0 + 0.5 * turn)))
    median = 400.0 + 16_000.0 * rise * (1.0 + 0.1 * turn)
    spread = 0.25 * median * steps / len(steps)
    policy = median * (1.0 + 0.25 * np.clip((steps - 22) / 26, 0.0, 1.0))
    fan = time_chart(
        quarters,
        [
            band(names["most"], policy - spread, policy + spread, colour=BLUE, opacity=0.16),
            band(names["half"], policy - 0.4 * spread, policy + 0.4 * spread, colour=BLUE, opacity=0.3),
            line(names["baseline"], median, colour=ORANGE, dash=(6, 3)),
            line(names["policy"], policy, colour=BLUE),
            points(
                names["figure"],
                [7, 11, 15, 19, 19, 23],
                [1832, 4762, 8997, 12_000, None, 14_000],
                [1832, 4762, 8997, 12_950, 14_600, None],
                labels=[names["source"]] * 6,
            ),
        ],
        title=names["giants"],
        label=f"{names['giants']}: {median[-1]:.0f}",
        unit="firms",
        unit_text=names["firms"],
        from_zero=True,
        **common,
    )
    waves = [1e8 * (3.0 + k + np.sin(steps[::4] / (5.0 + k) + 0.4 * turn)) * (k + 1) for k in range(4)]
    stacked = time_chart(
        quarters[::4],
        [
            bar(name, wave, colour=colour, stack="all")
            for name, wave, colour in zip(names["kinds"], waves, (BLUE, ORANGE, GREEN, PINK), strict=True)
        ],
        title=names["spent"],
        label=names["spent"],
        unit="yuan",
        unit_text=names["yuan"],
        **common,
    )
    difference = 0.03 * np.sin(steps / 9.0 + 0.3 * turn) * steps / 40.0
    difference[10:13] = np.nan
    signed = time_chart(
        quarters,
        [
            band(names["most"], difference - 0.008, difference + 0.008, colour=GREEN),
            line(names["policy"], difference, colour=GREEN),
        ],
        title=names["change"],
        label=names["change"],
        unit="share",
        unit_text=names["share"],
        signed=True,
        **common,
    )
    years = [str(year) for year in range(2019, 2031)]
    shares = time_chart(
        years,
        [
            line(names["ownership"], 0.62 + 0.02 * np.sin(np.arange(12) + turn), colour=BLUE),
            line(names["state"], 0.55 + 0.005 * np.arange(12), colour=ORANGE, dash=(2, 2)),
        ],
        title=names["share"],
        label=names["share"],
        unit="share",
        **common,
    )
    centre = np.array([14_600.0, 140_000.0, 600_000.0, 8.4e6, 45.0, np.nan]) * (1.0 + 0.05 * turn)
    reported = interval_chart(
        names["rows"],
        [
            interval(
                names["figure"],
                [14_600, 140_000, 6e5, 7e6, None, 3e8],
                [None] * 6,
                [14_600, 141_000, 6e5, None, 40, 5e8],
            ),
            interval(names["simulated"], centre * 0.6, centre, centre * 1.7, colour=BLUE, marker="diamond"),
        ],
        title=names["reported"],
        label=names["reported"],
        scale="log",
        **common,
    )
    middle = np.array([820.0, 1450.0, -160.0, -320.0]) + 60.0 * turn
    effects = interval_chart(
        names["outcomes"],
        [interval(names["difference"], middle - 400.0, middle, middle + 500.0, colour=BLUE)],
        title=names["effects"],
        label=names["effects"],
        unit="firms",
        unit_text=names["firms"],
        zero_line=True,
        signed=True,
        **common,
    )
    empty = time_chart(
        years,
        [line("", np.full(12, np.nan), colour=BLUE)],
        title=names["empty"],
        label=names["empty"],
        height=120,
        **common,
    )
    return [fan, stacked, signed, shares, reported, effects, empty]


def graph(turn: int) -> dict:
    """Suppliers in three tiers around 12 leaders, and links across."""
    random = np.random.default_rng(3)
    parents = np.full(NODES, -1)
    tier = np.concatenate([np.zeros(12), np.ones(300), np.full(1200, 2), np.full(NODES - 1512, 3)]).astype(int)
    # Some leaders have far more suppliers than others.
    for depth in range(1, 4):
        above, here = np.flatnonzero(tier == depth - 1), np.flatnonzero(tier == depth)
        parents[here] = above[(len(above) * random.random(len(here)) ** 2).astype(int)]
    group = np.arange(NODES)
    while (parents[group] >= 0).any():
        group = np.where(parents[group] >= 0, parents[group], group)
    places = radial_layout((0.0, 0.0), parents, group)
    tree = np.flatnonzero(parents >= 0)
    across = random.integers(0, NODES, (NODES // 2, 2))
    edges = np.concatenate([np.column_stack([tree, parents[tree]]), across[across[:, 0] != across[:, 1]]])
    size = np.array([9.0, 5.0, 3.0, 2.0])[tier] * (1.0 + 0.5 * ((np.arange(NODES) + turn) % 7 == 0))
    return network(places, size, tier, edges)


def node_labels(pattern: str) -> list[str]:
    """A name for each node, that of node 7 longer than a narrow screen is wide."""
    labels = [pattern.format(number=number) for number in range(NODES)]
    labels[7] += " · Guangdong, special-purpose machinery, 1,200 employees"
    return labels


def counts_map(language: str) -> dict:
    """A map of counts, most of which lie exactly between two whole numbers."""
    values = TIES[None, :]
    words, none = Words(language), np.full(values.shape, np.nan)
    texts = {key: words.raw(f"provinces.map_{'range_level' if key == 'range' else key}") for key in SQUARE_TEXTS}
    return square_map(
        values,
        none,
        none,
        values < 0.0,
        levels(float(values.max())),
        quarters=["2030Q4"],
        names={province: words.province(province) for province in LAYOUT},
        title=NAMES[language]["giants"],
        unit=NAMES[language]["firms"],
        factor=1.0,
        texts=texts,
        whole=True,
        short_names=True,
    )


@solara.component
def Page():
    query = parse_qs(solara.use_router().search or "")
    language, dark = query.get("lang", ["en"])[0], "dark" in query
    names, texts = NAMES[language], TEXTS[language]
    selected, set_selected = solara.use_state(-1)
    hidden, set_hidden = solara.use_state(True)
    labels = solara.use_memo(lambda: node_labels(names["firm"]), [language])
    drawn = solara.use_memo(lambda: graph(turn.value), [turn.value])

    def follow():
        solara.lab.theme.dark = dark

    solara.use_effect(follow, [dark])
    with solara.Div(style={"padding": "12px", "font-family": "system-ui, sans-serif"}):
        solara.Button("next", on_click=lambda: turn.set(turn.value + 1), classes=["next"])
        solara.Button("pick", on_click=lambda: set_selected(7), classes=["pick"])
        solara.Button("hide", on_click=lambda: set_hidden(not hidden), classes=["hide"])
        with solara.Div(
            style={
                "display": "grid",
                "gap": "28px 24px",
                "grid-template-columns": "repeat(auto-fit, minmax(min(420px, 100%), 1fr))",
            }
        ):
            specs = charts(turn.value, language, dark)
            for spec in specs:
                Chart(spec=spec, version=turn.value)
        with solara.Div(classes=["late"], style={"display": "none"} if hidden else {}):
            Chart(spec=specs[0], version=turn.value)
        Network(
            graph=drawn,
            labels=labels,
            palette=[ORANGE, BLUE, GREEN, PINK],
            names=names["groups"],
            texts=texts,
            dark=dark,
            height=480,
            label=texts["network"],
            selected=selected,
            version=turn.value,
            event_select=set_selected,
        )
        solara.Text(f"selected {selected}", classes=["selected"])
        ProvinceMap(
            spec=counts_map(language), at=0, chosen="", event_pick=lambda name: None, event_time=lambda at: None
        )
