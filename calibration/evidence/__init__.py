"""Published estimates of effects, the experiments that repeat them in the model, and the strengths they imply."""
