from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from pathlib import Path

NO_UTF_8 = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_a_compose_file_is_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        "services:\n  büro:\n    image: nginx\n", encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "lokikit", "wire", "compose.yaml", "--write"],
        cwd=tmp_path,
        env={**os.environ, **NO_UTF_8},
        stderr=subprocess.PIPE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    written = (tmp_path / "compose.lokikit.yml").read_text(encoding="utf-8")
    assert list(yaml.safe_load(written)["services"]) == ["büro"]
