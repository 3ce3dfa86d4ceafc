"""Write what is generated in README, pages and RESULTS.md: `python -m docs.generator`."""

from __future__ import annotations

from docs.generator.pages import pages


def main() -> None:
    """Write each page that differs from what code and results say."""
    for path, text in pages().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
