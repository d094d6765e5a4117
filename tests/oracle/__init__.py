"""The model's rules a second time: plain Python, one firm at a time, written from the equations.

It shares no rule, kernel or institution with `sim`: no Numba, no arrays, only numbers, lists and dictionaries. Read
it in this order:

- `draws.py`: the counter-based random numbers, recomputed, so that luck is the same.
- `firm.py`: a firm; how it is founded and closes.
- `behaviour.py`: what a firm does in a quarter, mechanism by mechanism.
- `ladder.py`: criteria clause by clause, application, assessment, ranking, review, audit.
- `support.py`: public money, firm programmes, awards, pilot cities.
- `institutions.py`: shocks, provinces, chain leaders, buyers, clusters and their contest.
- `counts.py`: the totals of a quarter and what follows from them (market sizes, means of clusters, chain health).
- `country.py`: the quarter in its order.

`compare.py` sets it beside the model, `scenarios.py` are the policies under which that is done.

Taken over from the model that is checked (see `world.py`), all of it fixed before the first quarter: the starting
cross-section of firms with their links, geography and industry, what the start settles (revenue per worker and
log-odds of R&D by sector, attraction and log-odds by county), niches that a supply shock hits, the path of nominal
demand, and what a scenario declares: levers with their windows, eligibility and effects, rules, shocks, parameters,
and the calendar they are written in.
"""
