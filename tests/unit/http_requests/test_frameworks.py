"""What `log_requests` and its likes take: each program in a process of its own."""

from __future__ import annotations

import pytest
from tests.running import run

from lokikit import fields as f


@pytest.mark.parametrize("call", ["log_requests", "pass_request_id"])
def test_what_cannot_be_taken_in_is_refused(call: str) -> None:
    """With what would do."""
    (line,) = run(f"import lokikit\nlokikit.setup_json_logging()\nlokikit.{call}(object())")
    assert line[f.EXC_TYPE] == "lokikit.errors.SettingsError"
    assert f"{call} cannot tell what object is" in line[f.EXC_MESSAGE]


def test_a_constant_that_a_view_raises_is_in_the_line_of_each_request() -> None:
    """With its type and traceback, and nothing set on it."""
    lines = run("""
import flask, lokikit
lokikit.setup_json_logging()
app = lokikit.log_requests(flask.Flask("shop"))
CONSTANT = ValueError("constant")
@app.get("/")
def view():
    raise CONSTANT
for _ in range(3):
    app.test_client().get("/").close()
assert vars(CONSTANT) == {}, vars(CONSTANT)
""")
    assert [line[f.LOGGER] for line in lines] == ["lokikit.requests"] * 3
    assert [line[f.EXC_TYPE] for line in lines] == ["ValueError"] * 3
    assert all(line[f.STACKTRACE] for line in lines)


@pytest.mark.parametrize(
    "call",
    [
        *("get('/')", "get('/empty')", "head('/')", "post('/nothing')", "get('/crash')"),
        *("get('/missing')", "get('/to', follow_redirects=True)", "get('/file')"),
    ],
)
def test_answer_that_a_test_client_has_not_read_has_its_line(call: str) -> None:
    """As its test asks for the line while it holds the answer."""
    lines = run(f"""
import flask, logging, lokikit, pathlib
lokikit.setup_json_logging()
app = lokikit.log_requests(flask.Flask("shop"))
answers = {{
    "/": lambda: "hello",
    "/empty": lambda: "",
    "/nothing": lambda: ("", 204),
    "/crash": lambda: 1 / 0,
    "/to": lambda: flask.redirect("/"),
    "/file": lambda: flask.send_file(pathlib.Path({__file__!r})),
}}
for path, answer in answers.items():
    app.add_url_rule(path, path, answer, methods=["GET", "POST"])
answer = app.test_client().{call}
logging.info("behind")
answer.close()
""")
    told = ["behind" if line[f.MESSAGE] == "behind" else line[f.LOGGER] for line in lines]
    requests = 2 if "follow" in call else 1
    assert told == ["lokikit.requests"] * requests + ["behind"]
