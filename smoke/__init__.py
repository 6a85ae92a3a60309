"""kafka-proof's suite and the tools that it is made of. They need a client properties file and nothing else."""

import warnings

# Two habits of kafka-python 3.0.12: it loads its schemas with a function that Python 3.11 and 3.12 deprecate (218
# warnings), and it would rather have a class where its documentation, and the article, pass a function.
WARNINGS = ("(read|open)_text is deprecated", "(key|value)_.*serializer does not implement")
for message in WARNINGS:
    warnings.filterwarnings("ignore", message, DeprecationWarning)

DEFAULT_PATH = "build/client.properties"  # where site.yml writes it
