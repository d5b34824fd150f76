"""All tests; what must be so before anything is imported."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
"""NumPy's threads wait by spinning: products of our size cost ten times the processor time, which
the telephones of other tests are waiting for."""
