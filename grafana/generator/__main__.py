"""Write the dashboards and what Grafana is provisioned with: `python -m grafana.generator`."""

from __future__ import annotations

from pathlib import Path

from grafana.generator.files import generated

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Write every generated file below `grafana/`."""
    for name, text in generated().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
