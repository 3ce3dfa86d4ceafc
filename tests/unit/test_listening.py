from __future__ import annotations

import socket

import pytest

from lokikit.errors import PrerequisiteError
from lokikit.listening import listen, url_of


def test_port_0_takes_a_free_one_and_the_address_names_it() -> None:
    with listen("127.0.0.1", 0, "the page") as listener:
        port = listener.getsockname()[1]
        assert url_of("127.0.0.1", listener) == f"http://127.0.0.1:{port}"
        socket.create_connection(("127.0.0.1", port)).close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::"], ids=["four", "six"])  # noqa: S104 - not bound
def test_every_address_is_shown_as_that_of_this_machine(host: str) -> None:
    with listen("127.0.0.1", 0, "the page") as listener:
        assert url_of(host, listener).startswith("http://127.0.0.1:")


def test_a_taken_port_is_an_error_that_names_who_wants_it() -> None:
    with listen("127.0.0.1", 0, "the page") as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PrerequisiteError, match=f"the page cannot listen on 127.0.0.1:{port}"):
            listen("127.0.0.1", port, "the page")


def test_an_address_of_another_machine_is_pointed_to_host() -> None:
    with pytest.raises(PrerequisiteError, match="an address of this machine with --host"):
        listen("192.0.2.1", 0, "the page")
