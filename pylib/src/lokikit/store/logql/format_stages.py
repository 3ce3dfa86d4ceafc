"""The stages `| line_format` and `| label_format`.

Templates are imported when a query has them: a store starts a tenth sooner without.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lokikit.store.errors import QueryError
from lokikit.store.logql.labels_builder import ERROR, LineState

if TYPE_CHECKING:
    from lokikit.store.logql.pipeline_syntax import LabelAssignment

    Stage = Callable[[LineState], bool]

TEMPLATE_ERROR = "TemplateFormatErr"


def compile_line_format(text: str) -> Stage:
    """The stage that writes the line anew.

    Raises:
        QueryError: the template is wrong, or uses a function that does not exist.
    """
    from lokikit.store.logql.templates.template import Template, TemplateProblem  # noqa: PLC0415 - for a start without it

    template = Template(text)
    if template.only_field is not None:
        return _line_of_label(template.only_field)

    def rewrite(state: LineState) -> bool:
        try:
            state.line = template.render(state.labels(), state.line, state.timestamp_ns)
        except TemplateProblem as problem:
            state.fail(TEMPLATE_ERROR, str(problem))
        return True

    return rewrite


def _line_of_label(name: str) -> Stage:
    """The stage of `{{.name}}`, which does not see the pipeline's own errors, as in Loki."""

    def rewrite(state: LineState) -> bool:
        state.line = state.field(name) or ""
        return True

    return rewrite


def compile_label_format(assignments: Sequence[LabelAssignment]) -> Stage:
    """The stage that renames labels and writes them from templates, in order.

    Raises:
        QueryError: a template is wrong, or a label is assigned twice or may not be assigned.
    """
    from lokikit.store.logql.templates.template import Template, TemplateProblem  # noqa: PLC0415 - for a start without it

    names = [one.label for one in assignments]
    for name in names:
        if name == ERROR:
            raise QueryError(f"{name} cannot be formatted")
        if names.count(name) > 1:
            raise QueryError(
                f"multiple label name '{name}' not allowed in a single format operation"
            )
    steps = [
        (one.label, one.value, Template(one.value, "label") if one.is_template else None)
        for one in assignments
    ]

    def rewrite(state: LineState) -> bool:
        labels: dict[str, str] | None = None
        for name, source, template in steps:
            if template is None:
                _rename(state, name, source)
                continue
            if labels is None:
                labels = state.labels()
            try:
                state.assign(name, template.render(labels, state.line, state.timestamp_ns))
            except TemplateProblem as problem:
                state.fail(TEMPLATE_ERROR, str(problem))
        return True

    return rewrite


def _rename(state: LineState, name: str, source: str) -> None:
    value = state.field(source)
    if value is not None:
        state.assign(name, value)
        state.delete(source)
