"""Draw the pictures of the documentation from a real run of the suite.

    python -m tests.report.pictures                            the broker in build/client.properties
    python -m tests.report.pictures --client-properties FILE   another one

The command runs the whole suite, records the run in tests/report/sample.json, and draws docs/images/report.png. Options
are those of the suite. A run in which a property does not hold, or is left out, leaves both files as they are.
It needs Chromium, and pngquant, which makes the file a third as large: apt-get install chromium pngquant

Exit status: 0, both files are new; 2, a program is missing or a property was left out; else that of the suite.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from kafka_proof.report import page as report
from tests.report import browser

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = Path(__file__).with_name("sample.json")
PICTURE = ROOT / "docs" / "images" / "report.png"
WIDTH = 1060  # pixels; GitHub shows about 830 of a page, so text of 16 pixels stays readable
COLORS = 64
# The page as it is, but in two columns, so that all properties fit; without the facts on cluster and run below them.
STYLE = """
<style>
body { max-width: none }
main { columns: 2; column-gap: 2.5rem }
section { margin-top: 0; padding-top: 2rem }
.test, h2 { break-inside: avoid; break-after: auto }
main > section:nth-last-child(-n + 2) { display: none }
</style>
"""


def record(options):
    """Run the suite with `options`. Returns (exit status, run as in kafka_proof/report/page.py; {} if none began)."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "run.json")
        path.write_text("{}")
        environment = os.environ | {"PYTEST_PLUGINS": "tests.report.record", "KAFKA_PROOF_RECORD": str(path)}
        status = subprocess.run(["pytest", "smoke", *options], cwd=ROOT, env=environment, check=False).returncode
        return status, json.loads(path.read_text(encoding="utf-8"))


def draw(run, path):
    """Write a PNG of the page of `run`, from the verdict to the last property."""
    with tempfile.TemporaryDirectory() as directory, browser.chromium() as page:
        html = Path(directory, "report.html")
        html.write_text(report.html(run).replace("</head>", f"{STYLE}</head>"), encoding="utf-8")
        page.open(html, width=WIDTH)
        page.picture(path)
    subprocess.run(["pngquant", "--force", "--strip", "--output", path, str(COLORS), path], check=True)


def main(options):
    """Record a run and draw the pictures. Returns the exit status."""
    if not (browser.PROGRAM and shutil.which("pngquant")):
        print("Chromium or pngquant is missing. Install them: apt-get install chromium pngquant", file=sys.stderr)
        return 2
    status, run = record(options)
    if status:
        return status
    if left_out := [test["property"] for test in run["tests"] if test["outcome"] != "passed"]:
        print(f"Not proved, so nothing was drawn: {', '.join(left_out)}", file=sys.stderr)
        return 2
    SAMPLE.write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draw(run, PICTURE)
    print(f"{len(run['tests'])} properties: {SAMPLE.relative_to(ROOT)}, {PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
