import logging

import pytest

from lokikit.errors import LokikitError, SettingsError
from lokikit.settings import Settings, default_level, parse_level, read_settings, words_of


def test_nothing_set_gives_the_defaults():
    """An empty environment is a valid one."""
    assert read_settings({}) == Settings()


def test_every_variable_is_read():
    """The table of docs/settings.md, variable by variable."""
    assert read_settings(
        {
            "SERVICE_NAME": "api",
            "ENV": "prod",
            "SERVICE_VERSION": "1.2",
            "LOG_LEVEL": "warning",
            "LOG_FORMAT": "JSON",
            "LOG_REDACT": "iban, card ,",
        }
    ) == Settings("api", "prod", "1.2", logging.WARNING, "json", ("iban", "card"))


def test_the_otel_name_is_the_second_choice():
    """`SERVICE_NAME` wins over `OTEL_SERVICE_NAME`, an empty one does not."""
    both = {"SERVICE_NAME": "a", "OTEL_SERVICE_NAME": "b"}
    assert read_settings(both).service == "a"
    assert read_settings({**both, "SERVICE_NAME": " "}).service == "b"


@pytest.mark.parametrize(
    ("variable", "value", "fix"),
    [
        ("LOG_LEVEL", "loud", "debug, info, warning, error, critical"),
        ("LOG_LEVEL", "-5", "debug, info"),
        ("LOG_FORMAT", "xml", "json, console, auto"),
    ],
)
def test_a_bad_value_is_an_error_that_names_variable_value_and_fix(variable, value, fix):
    """Nothing is silently replaced by a default."""
    with pytest.raises(SettingsError) as caught:
        read_settings({variable: value})
    assert variable in str(caught.value)
    assert value in str(caught.value)
    assert fix in str(caught.value)
    assert isinstance(caught.value, LokikitError)


@pytest.mark.parametrize(
    ("level", "number"),
    [("debug", 10), ("Warn", 30), ("FATAL", 50), ("15", 15), (35, 35), (" error ", 40)],
)
def test_levels_go_by_name_in_any_case_or_by_number(level, number):
    """Also by the stdlib's second names."""
    assert parse_level(level, "level") == number


def test_dev_is_debug_and_all_else_is_info():
    """The default level follows the environment."""
    assert default_level("dev") == logging.DEBUG
    assert default_level("prod") == default_level(None) == logging.INFO


@pytest.mark.parametrize(
    ("word", "durable"), [("on", True), ("off", False), ("", False), ("FSYNC", "fsync")]
)
def test_durable_is_for_the_process_or_for_the_power_too(word, durable):
    assert read_settings({"LOKI_DURABLE": word}).durable == durable


def test_another_word_for_durable_is_refused():
    with pytest.raises(SettingsError, match="LOKI_DURABLE='always' is none of on, off and fsync"):
        read_settings({"LOKI_DURABLE": "always"})


@pytest.mark.parametrize(
    ("given", "words"),
    [("pin", ("pin",)), ("pin, iban", ("pin", "iban")), (["a,b"], ("a,b",)), ((), ()), ("", ())],
)
def test_a_text_is_a_list_of_words_as_in_the_environment(given, words):
    assert words_of(given) == words


@pytest.mark.parametrize("given", [b"pin", 5, True])
def test_words_that_are_neither_text_nor_a_list_are_refused(given):
    with pytest.raises(SettingsError, match="is no list of words"):
        words_of(given)
