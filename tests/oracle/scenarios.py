"""Policies under which small populations see every rule at work."""

from __future__ import annotations

from sim.feedbacks import Feedbacks
from sim.levers import Levers
from sim.policy import Policy, find_policy

_BUDGET = {"budget_yuan": 1e12}
#: Levers whose recipients are few at this scale need more money than the reported budgets hold.
_ON = {"enabled": True, "start": "2019Q2", "end": "2030Q4", **_BUDGET}
_CITIES = {**_ON, "firms": 4_000_000, "cities_per_batch": 60, "city_yuan": 5e9, "capital_city_yuan": 8e9}

#: Bars so low that every tier is full, certificates that are reviewed every year or two, sharp audits.
_EASY_RULES = {
    "innovative": {"score_min": 30, "equity_min": 1e5, "validity_years": 1},
    "srdi": {
        "score_min": 30,
        "niche_years_min": 1,
        "rd_spending_min": 1e5,
        "revenue_min": 1e6,
        "equity_min": 1e6,
        "validity_years": 2,
        "review_strictness": 0.9,
    },
    "little_giant": {
        "niche_years_min": 1,
        "main_share_min": 0.6,
        "growth_min": -0.1,
        "digital_level_min": 1,
        "niche_share_min": 0.001,
        "revenue_large": 2e7,
        "revenue_mid": 1e7,
        "rd_intensity_min": 0.01,
        "rd_intensity_mid_min": 0.02,
        "equity_min": 1e5,
        "rd_spending_min": 1e5,
        "rd_staff_share_small_min": 0.05,
        "class1_ip_min": 0,
        "rd_institute_min": 0,
        "validity_years": 1,
        "review_strictness": 0.9,
        "capacity": 20_000,
    },
    "audit_strictness": 0.5,
}
#: Bars that ask for more than the reported ones.
_HARD_RULES = {
    "srdi": {"rd_intensity_min": 0.05, "score_min": 65},
    "little_giant": {"capacity": 20_000, "rd_intensity_min": 0.04, "debt_ratio_max": 0.6},
}
#: What is rare in the country happens often.
_OFTEN = {
    "listing_rate": 0.1,
    "listing_revenue": 1e7,
    "listing_margin": 0.0,
    "listing_places": 8_000.0,
    "move_rate": 0.8,
    "first_rate": 0.3,
    "equity_rate": 0.1,
    "reach_giant_max": 1.0,
    "reach_giant_mid": 2012.0,
    "giant_bar": 20.0,
    "exit_base": 0.1,
    "early_notice": 5.0,
    "bar_after_goal": -3.0,
    "newcomer_rate": 0.5,
    "relabel_chance": 1.0,
    "relabel_reach": 0.9,
    "audit_coverage": 1.0,
    "cluster_firms_min": 50.0,
}
_SHOCKS = {
    "demand_slump": {"start": "2020Q1", "quarters": 6, "severity": 0.2, "sectors": ["metals", "chemicals"]},
    "foreign_supply": {"start": "2020Q3", "quarters": 10, "niches_share": 0.3},
    "credit_crunch": {"start": "2020Q4"},
    "energy_price": {"start": "2019Q3", "quarters": 16},
}
#: Not 0.6, which leaves halves of thousands to be cut off, where the last bit of an exponential decides.
_RIGID = {"start": "2019Q2", "niches_share": 0.5, "severity": 0.571, "substitution": False}
_SOMEWHERE = {"provinces": ["Guangdong", "Jiangsu", "Shandong"], "sectors": ["metals", "electronics", "software"]}


def _all(**settings) -> dict:
    """All levers on, those of cities with cities enough."""
    return {name: {**_ON, **settings} for name in Levers.model_fields} | {
        "digital_empowerment": {**_CITIES, **settings}
    }


def _group(group: str) -> dict:
    """The levers of one group on, and recognised clusters that some of them need."""
    chosen = {name: levers for name, levers in _all().items() if Levers.model_fields[name].annotation.group == group}
    return chosen | {"cluster_recognition": _ON}


#: Groups of levers.
GROUPS = sorted({field.annotation.group for field in Levers.model_fields.values()})

_NO_FEEDBACKS = dict.fromkeys(Feedbacks.model_fields, False)

_CHOICES = {
    "everything": {
        "levers": _all(),
        "rules": _EASY_RULES,
        "shocks": _SHOCKS,
        "parameters": _OFTEN,
    },
    "no feedbacks": {
        "levers": _all(),
        "rules": _EASY_RULES,
        "shocks": _SHOCKS,
        "model": _NO_FEEDBACKS,
        "parameters": _OFTEN,
    },
    "levers": {"levers": _all()},
    "announced": {
        "levers": {"little_giant_awards": {**_ON, "announced": "2019Q2", "start": "2021Q1"}},
        "rules": {"announced": "2019Q3", "start": "2020Q3", **_HARD_RULES},
    },
    "shocks": {"shocks": _SHOCKS | {"foreign_supply": _RIGID}},
    "rules": {"rules": {"start": "2020Q3", **_EASY_RULES}},
    "strict rules": {
        "rules": {
            "innovative": {"capacity": 20_000},
            "srdi": {"capacity": 10_000, "review_strictness": 1.0, "validity_years": 1, "rd_spending_min": 3e5},
            "little_giant": {"capacity": 2_000, "revenue_mid": 2e7},
            "audit_strictness": 1.0,
        }
    },
    "short of money": {"levers": {name: settings | {"budget_yuan": 3e9} for name, settings in _all().items()}},
    "targets": {
        "levers": {
            name: settings
            | _SOMEWHERE
            | ({"counties_only": True} if "counties_only" in Levers.model_fields[name].annotation.model_fields else {})
            | ({"lowest_tier": "innovative"} if name in ("talent_programme", "digital_empowerment") else {})
            | ({"clusters_only": True} if name == "governance_training" else {})
            for name, settings in _all(intensity=2.0, end="2023Q2").items()
        },
        "rules": _EASY_RULES,
        "parameters": _OFTEN,
    },
    **{f"levers of {group}": {"levers": _group(group), "rules": _EASY_RULES} for group in GROUPS},
}
#: Scenarios by name, those of the catalogue among them.
NAMES = ("baseline", "no-policy", *_CHOICES)


def policy(name: str) -> Policy:
    """The policy of a scenario."""
    return Policy.model_validate(_CHOICES[name]) if name in _CHOICES else find_policy(name)
