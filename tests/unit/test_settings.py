import logging

import pytest

from lokikit.errors import LokikitError, SettingsError
from lokikit.settings import Settings, default_level, parse_level, read_settings, words_of
from lokikit.variables import OF_A_SERVICE


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
    with pytest.raises(SettingsError, match="LOKI_DURABLE='always' is not `on`, `off` or `fsync`"):
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


@pytest.mark.parametrize(
    ("name", "bad", "wanted"),
    [
        ("LOG_LEVEL", "loud", "a level: one of debug, info, warning, error, critical, or a number"),
        ("LOG_LEVELS", "httpx=info,boto", "a logger with its level, such as httpx=info"),
        ("LOG_REQUESTS", "maybe", "`on` or `off`"),
        ("LOG_SLOW_S", "0", "a number of seconds above 0"),
        ("LOG_SLOW_S", "nan", "a number of seconds above 0"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,proxy", "an address or a network such as 10.0.0.0/8"),
    ],
)
def test_the_error_names_the_valid_values(name, bad, wanted):
    with pytest.raises(SettingsError) as caught:
        read_settings({name: bad})
    assert str(caught.value) == f"{name}={bad.rpartition(',')[2]!r} is not {wanted}."


@pytest.mark.parametrize("variable", OF_A_SERVICE, ids=lambda variable: variable.names[0])
def test_a_variable_without_a_value_has_its_default(variable):
    assert variable.read({}) == variable.default
    assert variable.read(dict.fromkeys(variable.names, " ")) == variable.default
