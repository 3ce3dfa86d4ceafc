"""The labels that the rest of a query uses, so that its parsers may stop early, as Loki's do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lokikit.store.logql.label_filters import compile_label_filter, filter_name, filter_names
from lokikit.store.logql.pipeline_syntax import LabelFilterStage, LabelFormat, LineFormat, Stage
from lokikit.store.logql.templates.mentions import template_fields

if TYPE_CHECKING:
    from lokikit.store.logql.labels_builder import LineState


@dataclass(frozen=True)
class ParseHints:
    """The parts of a line that parsers may leave out.

    Args:
        required: the labels that the query uses; None for all.
        checks: by label, the first filter on it: a parser drops the line as soon as the label
            that it finds fails there, even where a later stage would change the label.
    """

    required: frozenset[str] | None = None
    checks: dict[str, Callable[[LineState], bool]] = field(default_factory=dict)

    @property
    def skips_parsers(self) -> bool:
        """True when the query uses no label."""
        return self.required is not None and not self.required


def parse_hints(stages: Sequence[Stage], wanted: frozenset[str] | None) -> ParseHints:
    """The hints of a pipeline.

    Args:
        stages: all stages of the pipeline.
        wanted: the labels that the query around the pipeline uses; None for all.
    """
    checks: dict[str, Callable[[LineState], bool]] = {}
    for stage in stages:
        if isinstance(stage, LabelFilterStage):
            name = filter_name(stage.condition)
            if name is not None and name not in checks:
                checks[name] = compile_label_filter(stage.condition)
    if wanted is None:
        return ParseHints(checks=checks)
    required = set(wanted)
    for stage in stages:
        required.update(_required(stage))
    # A running Loki keeps lines whose filter stands before the parser, where labels are listed.
    return ParseHints(frozenset(required))


def _required(stage: Stage) -> set[str]:
    if isinstance(stage, LabelFilterStage):
        return filter_names(stage.condition)
    if isinstance(stage, LineFormat):
        return template_fields(stage.template)
    if isinstance(stage, LabelFormat):
        names: set[str] = set()
        for assignment in stage.assignments:
            value = assignment.value
            names |= template_fields(value) if assignment.is_template else {value}
        return names
    return set()
