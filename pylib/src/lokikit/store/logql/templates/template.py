"""A template of `line_format` or `label_format`, ready to run."""

from __future__ import annotations

from collections.abc import Mapping

from lokikit.store.logql.templates.evaluation import TemplateRun
from lokikit.store.logql.templates.nodes import Action, Field, Node, Text
from lokikit.store.logql.templates.parser import parse_template
from lokikit.store.logql.templates.values import Labels, TemplateProblem

__all__ = ["Template", "TemplateProblem"]


class Template:
    """A template, ready to run; errors call it `name`: `line` or `label`.

    Raises:
        QueryError: it is wrong, or uses a function that does not exist.
    """

    def __init__(self, text: str, name: str = "line") -> None:
        self._tree, self._name = parse_template(text), name
        self._simple = _simple_parts(self._tree.body)

    @property
    def only_field(self) -> str | None:
        """The label of a template that holds nothing but `{{.label}}`."""
        return self._simple[0][0] if self._simple and len(self._simple) == 1 else None

    def render(self, labels: Mapping[str, str], line: str, time_ns: int) -> str:
        """The text that the template makes of a line.

        Raises:
            TemplateProblem: it fails on this line.
        """
        if self._simple is not None:
            return "".join(
                [text if name is None else labels.get(name, "") for name, text in self._simple]
            )
        try:
            return TemplateRun(self._tree, self._name, Labels(labels), line, time_ns).render()
        except RecursionError as error:
            raise TemplateProblem("a value is nested too deeply") from error


def _simple_parts(body: tuple[Node, ...]) -> list[tuple[str | None, str]] | None:
    """Labels and texts of a template that holds nothing else; None for all other templates."""
    parts: list[tuple[str | None, str]] = []
    for node in body:
        if isinstance(node, Text):
            parts.append((None, node.text))
            continue
        name = _plain_field(node)
        if name is None:
            return None
        parts.append((name, ""))
    return parts


def _plain_field(node: Node) -> str | None:
    if not isinstance(node, Action) or node.pipe.variables or len(node.pipe.commands) != 1:
        return None
    operands = node.pipe.commands[0].operands
    if len(operands) == 1 and isinstance(operands[0], Field) and len(operands[0].names) == 1:
        return operands[0].names[0]
    return None
