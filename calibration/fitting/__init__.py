"""The fit: priors and targets, the simulator and its emulator, the posterior, and the screening of parameters."""
