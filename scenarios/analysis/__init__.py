"""What results say: outcomes, paired differences with intervals, costs, regret, and reported figures beside them."""
