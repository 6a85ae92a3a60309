"""Ansible finds plugins by its own ways; the tests of their functions import them from their files."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for kind in ("action", "filter", "modules"):
    sys.path.insert(0, str(ROOT / "plugins" / kind))
