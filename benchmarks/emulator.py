"""Time of the likelihood of an emulator, ours over scikit-learn's, on random runs of the size of a fit.

python -m benchmarks.emulator
"""

from timeit import timeit

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from threadpoolctl import threadpool_limits

from calibration.fitting.emulator import SCALE_RUNS, first_kernel, misfit

#: Free parameters of a fit, roughly.
PARAMETERS = 48
REPEATS = 5


def main() -> None:
    """Print both times and their ratio."""
    rng = np.random.default_rng(1)
    cube, y = rng.uniform(size=(SCALE_RUNS, PARAMETERS)), rng.normal(size=SCALE_RUNS)
    kernel = first_kernel(PARAMETERS)
    process = GaussianProcessRegressor(kernel, optimizer=None).fit(cube, y)
    with threadpool_limits(1):
        library = timeit(lambda: process.log_marginal_likelihood(kernel.theta, eval_gradient=True), number=REPEATS)
        ours = timeit(lambda: misfit(kernel.theta, cube, y), number=REPEATS)
    print(
        f"scikit-learn {1e3 * library / REPEATS:.0f} ms, ours {1e3 * ours / REPEATS:.0f} ms, {library / ours:.0f} times"
    )


if __name__ == "__main__":
    main()
