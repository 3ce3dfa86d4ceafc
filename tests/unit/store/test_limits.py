import pytest

from lokikit import fields
from lokikit.errors import SettingsError
from lokikit.stack.kit_files import kit_root
from lokikit.store.limits import expand, kit_limits, parse_bytes, read_limits

HOUR_NS = 3600 * 10**9


def test_limits_are_those_of_the_kit():
    limits = kit_limits()
    assert limits.max_line_bytes == fields.MAX_LINE_BYTES
    assert limits.max_label_names_per_series == 10
    assert limits.query.max_series == 20_000


def test_retention_is_read_from_the_environment(tmp_path):
    path = tmp_path / "loki.yaml"
    path.write_text("limits_config: {retention_period: '${LOKI_RETENTION:-168h}'}")
    assert read_limits(path, {"LOKI_RETENTION": "24h"}).retention_ns == 24 * HOUR_NS


@pytest.mark.parametrize(
    ("text", "expanded"),
    [("${A:-b}", "b"), ("${A}", ""), ("${B:-b}", "x"), ("${B}", "x"), ("$A", "$A")],
)
def test_references_are_expanded_with_their_defaults(text, expanded):
    assert expand(text, {"B": "x"}) == expanded


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("256KB", 262_144),
        ("64MB", 67_108_864),
        ("1.5kb", 1536),
        ("10", 10),
        (7, 7),
        ("1GiB", 2**30),
    ],
)
def test_sizes_are_powers_of_1024(text, size):
    assert parse_bytes(text) == size


def test_wrong_size_is_named(tmp_path):
    path = tmp_path / "loki.yaml"
    path.write_text("limits_config: {max_line_size: much}")
    with pytest.raises(SettingsError, match="max_line_size: 'much' is no size"):
        read_limits(path)


def test_a_wrong_retention_names_the_variable_and_the_option():
    """The value stands in neither file: `loki.yaml` takes it from them."""
    with pytest.raises(SettingsError, match=r"LOKI_RETENTION or --retention.*'3' is no duration"):
        read_limits(kit_root() / "loki/loki.yaml", {"LOKI_RETENTION": "3"})


def test_missing_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"absent\.yaml"):
        read_limits(tmp_path / "absent.yaml")


def test_a_file_in_another_encoding_is_named(tmp_path):
    (tmp_path / "loki.yaml").write_bytes("# größer".encode("latin-1"))
    with pytest.raises(SettingsError, match=r"cannot read the limits in .*loki\.yaml"):
        read_limits(tmp_path / "loki.yaml")
