"""What configurations and servers do to logging: each program in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.page import blocks
from tests.running import messages, run

from lokikit import fields as f

if TYPE_CHECKING:
    from pathlib import Path


HANDLER = """
handler = {"()": "lokikit.JsonHandler", "service": "shop"}
logging.config.dictConfig({"version": 1, "handlers": {"h": handler}, "root": {"handlers": ["h"]}})
"""


@pytest.mark.parametrize(
    "source",
    [
        "logging.config.dictConfig(lokikit.logging_config('shop'))",
        "logging.config.dictConfig(json.loads(json.dumps(lokikit.logging_config('shop'))))",
        HANDLER,
    ],
)
def test_a_configuration_does_what_the_call_does(source: str) -> None:
    """Also as JSON, and also one that disables the loggers it does not name."""
    lines = run(f"""
import json, logging, logging.config, sys, lokikit
logging.getLogger("before").addHandler(logging.StreamHandler(sys.stderr))
{source}
logging.info("told")
with lokikit.task("t"):
    raise ValueError
""")
    assert messages(lines) == ["told", "t started", "t failed: ValueError: "]
    assert {line[f.SERVICE] for line in lines} == {"shop"}


def test_the_file_of_the_page_is_a_configuration(tmp_path: Path) -> None:
    """In the form of `logging.config.fileConfig`."""
    (block,) = blocks("Files of logging.config", "ini")
    (tmp_path / "logging.ini").write_text(block)
    path = str(tmp_path / "logging.ini")
    lines = run(f"import logging.config; logging.config.fileConfig({path!r}); logging.info('m')")
    assert [(line[f.MESSAGE], line[f.SERVICE]) for line in lines] == [("m", "shop")]


def test_a_filter_of_the_handler_in_a_dictionary_scrubs_and_drops() -> None:
    """That of a console handler, which the set-up takes off, goes with it."""
    lines = run("""
import logging, logging.config

def scrub(record):
    record.msg = record.msg.replace("hunter2", "***")
    return record.msg != "ping"

handler = {"()": "lokikit.JsonHandler", "filters": ["scrub"]}
logging.config.dictConfig({
    "version": 1,
    "filters": {"scrub": {"()": lambda: scrub}},
    "handlers": {"h": handler},
    "root": {"handlers": ["h"], "level": "INFO"},
})
logging.info("ping")
logging.info("login hunter2")
""")
    assert messages(lines) == ["login ***"]


def test_keeping_takes_off_what_came_since() -> None:
    """For servers that configure logging after the application; its own set-up stays."""
    lines = run("""
import logging, sys, lokikit
from lokikit.setup import keep_json_logging
lokikit.setup_json_logging("shop")
shared = [logging.StreamHandler(sys.stderr)]
for name in ("gunicorn.error", "uvicorn.error"):
    logging.getLogger(name).handlers = shared
    logging.getLogger(name).propagate = False
keep_json_logging()
logging.getLogger("gunicorn.error").info("a")
logging.getLogger("uvicorn.error").info("b")
""")
    assert [(line[f.MESSAGE], line[f.SERVICE]) for line in lines] == [("a", "shop"), ("b", "shop")]


@pytest.mark.parametrize(
    "change",
    [
        "config['root']['handlers'].append('file')",
        "config['root']['handlers'] = ['file']",
        "config['root'] = {'handlers': ['file'], 'level': 'INFO'}",
        "config['loggers'][''] = config.pop('root') | {'handlers': ['file']}",
        "config['loggers']['shop'] = {'handlers': ['file', 'lokikit']}",
        "config['loggers']['shop'] = {'handlers': ['file', 'lokikit'], 'propagate': False}",
        "config['loggers']['shop'] = {'handlers': ['file', 'console'], 'propagate': False}",
        "config['incremental'] = False; config['root']['handlers'] += ['console', 'file']",
    ],
)
@pytest.mark.parametrize("module", ["lokikit", "lokikit.django"])
def test_handlers_are_added_to_a_configuration_as_to_any_other(
    tmp_path: Path, change: str, module: str
) -> None:
    """The kit's own stays where they take its place, and each event is one line."""
    lines = run(f"""
import logging.config, {module}
config = {module}.logging_config("shop")
config["handlers"]["file"] = {{"class": "logging.FileHandler", "filename": {str(tmp_path / "f")!r}}}
config["handlers"]["console"] = {{"class": "logging.StreamHandler"}}
{change}
logging.config.dictConfig(config)
logging.getLogger("shop").info("m")
""")
    assert [(line[f.MESSAGE], line[f.SERVICE]) for line in lines] == [("m", "shop")]
    assert (tmp_path / "f").read_text() == "m\n"
