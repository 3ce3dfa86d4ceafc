"""What is installed and shipped: vulnerabilities, licences, the image's bill of materials.

`make lint` runs it; `python -m tests.tools.audit FILE` writes the bill of materials too.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from lokikit.stack.kit_files import kit_root

IMAGE = kit_root() / "deploy/compose/requirements.txt"
FORBIDDEN = re.compile(r"AGPL|Affero|SSPL|Commons Clause|Business Source|UNKNOWN", re.IGNORECASE)
KNOWN = {"axe-playwright-python": "its metadata name no licence, its file is MPL-2.0"}


def vulnerabilities() -> list[str]:
    """Advisories for the packages of the image; says so where the index has none to ask."""
    command = ["pip_audit", "--requirement", str(IMAGE), "--no-deps", "--disable-pip"]
    done = _run([*command, "--format", "json", "--progress-spinner", "off"])
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except ValueError:
        packages = []
    if not any("vulns" in one for one in packages):
        print("VULNERABILITIES ARE NOT LOOKED FOR: the package index gives no advisories")
    return [
        f"{one['name']} {one['version']}: {vulnerability['id']}"
        for one in packages
        for vulnerability in one.get("vulns", ())
    ]


def forbidden_licences() -> list[str]:
    """Installed packages under a licence that the kit does not take, or under none."""
    packages = json.loads(_run(["piplicenses", "--format", "json"]).stdout)
    return [
        f"{one['Name']} {one['Version']}: licence {one['License']}"
        for one in packages
        if FORBIDDEN.search(one["License"]) and one["Name"] not in KNOWN
    ]


def write_bill_of_materials(path: Path) -> None:
    """Write the packages of the image in the form of CycloneDX."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done = _run(["cyclonedx_py", "requirements", str(IMAGE), "--output-file", str(path)])
    if done.returncode != 0:
        raise SystemExit(done.stderr)


def _run(module: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *module], capture_output=True, text=True, check=False
    )


def main() -> None:
    """Print what is wrong, and end with 1 when anything is."""
    for target in sys.argv[1:]:
        write_bill_of_materials(Path(target))
    wrong = [*vulnerabilities(), *forbidden_licences()]
    print("\n".join(wrong), end="\n" if wrong else "")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
