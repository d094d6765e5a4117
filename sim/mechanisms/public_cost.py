"""Public cost beyond what levers pay: tax relief on R&D, and what provinces pay for new titles.

Not counted: the reduced tax rate of high-tech enterprises, what firms pay themselves, and the cost of raising taxes.
"""

from __future__ import annotations


def tax_relief(reported, p):
    """Tax saved by firms on the R&D they report (加计扣除), in the unit of `reported`: τ Σ r R.

    τ (`tax_relief`) counts as public cost as far as `tax_relief_counted` says. Relabelled spending is relieved as well.
    """
    return p.tax_relief_counted * p.tax_relief * reported


def title_awards(srdi_smes, little_giants, p):
    """What provinces and cities pay firms for new titles (认定奖补), yuan: A₂ g₂ + A₃ g₃.

    Args:
        srdi_smes, little_giants: firms newly certified.
    """
    return p.title_award_srdi * srdi_smes + p.title_award_giant * little_giants
