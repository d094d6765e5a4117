"""The tiers of the ladder and their codes, as the column `tier` and kernels hold them."""

from __future__ import annotations

from sim.numerics.positions import positions

#: The ladder, lowest tier first (创新型 → 专精特新 → 小巨人).
TIERS = ("innovative", "srdi", "little_giant")

#: Codes of the tiers, such as ``Tier.srdi``; `none` is that of firms without a certificate.
Tier = positions("Tier", ["none", *TIERS])
