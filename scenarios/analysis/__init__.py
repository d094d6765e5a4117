"""Analysis of results: outcomes, paired differences with intervals, costs, regret, comparison with reported figures."""
