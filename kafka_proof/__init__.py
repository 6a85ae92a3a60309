"""kafka-proof: deploy Kafka with Ansible, prove it with pytest, and see what a cluster and its clients do.

docs/architecture.md shows the packages and which of them may import which.
"""

import warnings

# kafka-python 3.0.12 loads its schemas with a function that Python 3.11 and 3.12 deprecate (218 warnings). It asks
# for a class where its documentation passes a function. The filter must be set before kafka-python is imported.
WARNINGS = ("(read|open)_text is deprecated", "(key|value)_.*serializer does not implement")
for message in WARNINGS:
    warnings.filterwarnings("ignore", message, DeprecationWarning)
