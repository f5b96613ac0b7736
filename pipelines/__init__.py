"""What is run: stages of a build, and the commands around it."""

import os

# Metrics are fitted side by side: threads inside their matrix products only fight for the cores, and
# numpy reads this when it is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
