"""`benchmart measure`: time real models on this machine, each case in a process of its own kind.

Models are built from their configuration with random weights, so nothing is downloaded; speed and
memory do not depend on the values of weights.
"""

from pipelines.measure.runner import Summary, run_suite
from pipelines.measure.suite import SUITES

__all__ = ["SUITES", "Summary", "run_suite"]
