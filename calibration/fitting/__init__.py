"""The fit: priors and targets, the simulator and its emulator, the posterior, and what moves the targets."""
