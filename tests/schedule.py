"""Which tests go to one worker together where pytest-xdist spreads them: those that share servers.

What takes seconds to start is started once for all of its tests; every other file is by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

TOGETHER = {
    "a control plane": (
        "tests/chart/test_agent_files.py::test_events_of_the_cluster",
        "tests/chart/test_grafana_operator.py",
        "tests/chart/test_installing.py",
        "tests/chart/test_odd_values.py",
        "tests/chart/test_other_clusters.py::test_a_namespace_that_takes_no_agent",
        "tests/chart/test_other_clusters.py::test_data_is_not_left_behind",
        "tests/chart/test_other_clusters.py::test_names_that_are_taken",
        "tests/chart/test_page_commands.py",
    ),
    "the lines of the demo": (
        "tests/page/test_boards.py",
        "tests/page/test_explore.py",
        "tests/page/test_safety.py",
    ),
}
"""What is shared -> how the ids of its tests begin."""


class Schedule(LoadFileScheduling):
    """Hand out the tests of a file, or all that share a server, as one piece of work."""

    def _split_scope(self, nodeid: str) -> str:
        for server, beginnings in TOGETHER.items():
            if nodeid.startswith(beginnings):
                return server
        return super()._split_scope(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Let one worker begin with unit tests: they compute while the others wait for programs."""
        if node is self.nodes[0]:
            units = (scope for scope in self.workqueue if scope.startswith("tests/unit/"))
            if (first := next(units, None)) is not None:
                self.workqueue.move_to_end(first, last=False)
        super()._assign_work_unit(node)
