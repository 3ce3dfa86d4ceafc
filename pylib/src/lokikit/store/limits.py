"""The limits of the store, read from the kit's `loki/loki.yaml`: both keep the same numbers."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lokikit.errors import SettingsError
from lokikit.stack.kit_files import kit_root
from lokikit.store.logql.limits import Limits
from lokikit.times import NS_PER_S, parse_duration_ns

_REFERENCE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
_BYTES = re.compile(r"([\d.]+)\s*([kmgt]?)i?b?", re.ASCII | re.IGNORECASE)
_MIB = 1 << 20
_NS_PER_HOUR = 3600 * NS_PER_S


@dataclass(frozen=True)
class StoreLimits:
    """What a push and a query may hold at most; each is named as in `limits_config`.

    The values here are Loki's own defaults, for what `loki.yaml` does not name.
    """

    retention_ns: int = 168 * _NS_PER_HOUR
    reject_old_samples: bool = True
    reject_old_samples_max_age_ns: int = 168 * _NS_PER_HOUR
    creation_grace_period_ns: int = _NS_PER_HOUR // 6
    ingestion_rate_bytes: int = 4 * _MIB
    ingestion_burst_bytes: int = 6 * _MIB
    max_streams: int = 5000
    max_label_names_per_series: int = 15
    max_label_name_length: int = 1024
    max_label_value_length: int = 2048
    max_line_bytes: int = 256 << 10
    max_line_size_truncate: bool = False
    max_structured_metadata_count: int = 128
    max_structured_metadata_bytes: int = 64 << 10
    discover_log_levels: bool = True
    log_level_fields: tuple[str, ...] = ("level",)
    log_level_max_depth: int = 2
    max_entries: int = 5000
    max_query_series: int = 500
    max_query_length_ns: int = 721 * _NS_PER_HOUR
    query_timeout_s: float = 60.0
    disk_full_threshold: float = 0.9
    max_body_bytes: int = 100 << 20
    max_answer_bytes: int = 100 << 20

    @property
    def query(self) -> Limits:
        """The part that the evaluator keeps."""
        return Limits(max_series=self.max_query_series, max_entries=self.max_entries)


@functools.cache
def kit_limits() -> StoreLimits:
    """The limits of the kit's own `loki/loki.yaml`, in this process' environment."""
    return read_limits(kit_root() / "loki/loki.yaml")


def read_limits(path: Path, environ: Mapping[str, str] = os.environ) -> StoreLimits:
    """The limits of the file at `path`, `${NAME:-default}` taken from `environ`.

    Raises:
        SettingsError: it cannot be read, or a value is no duration, size or number.
    """
    import yaml  # noqa: PLC0415 - 20 ms, for whoever brings limits of their own

    from lokikit.stack.yaml_text import load_yaml  # noqa: PLC0415 - with it

    try:
        content = load_yaml(expand(path.read_text(encoding="utf-8"), environ))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"cannot read the limits in {path}: {error}") from error
    try:
        return _limits(content)
    except (TypeError, ValueError, AttributeError) as error:
        raise SettingsError(f"a limit in {path} is wrong: {error}") from error


def expand(text: str, environ: Mapping[str, str]) -> str:
    """`text` with `${NAME}` and `${NAME:-default}` replaced, as `-config.expand-env` does."""
    return _REFERENCE.sub(lambda found: environ.get(found[1]) or found[2] or "", text)


def parse_bytes(value: Any) -> int:
    """Bytes of `256KB`, `64MB`, `1.5GiB` or a number; units are powers of 1024, as in Loki.

    Raises:
        ValueError: it is no size.
    """
    found = _BYTES.fullmatch(str(value).strip())
    if not found:
        raise ValueError(f"{value!r} is no size: use 256KB, 64MB or a number of bytes")
    return int(float(found[1]) * 1024 ** " kmgt".index(found[2].lower() or " "))


def _limits(content: Mapping[str, Any]) -> StoreLimits:
    section = content["limits_config"]
    wal = content.get("ingester", {}).get("wal", {})
    server = content.get("server", {})
    found: dict[str, Any] = {}
    for name, (field, read) in _FIELDS.items():
        if name in section:
            try:
                found[field] = read(section[name])
            except (TypeError, ValueError) as error:
                raise ValueError(f"{_SHOWN_NAMES.get(name, name)}: {error}") from error
    if "disk_full_threshold" in wal:
        found["disk_full_threshold"] = float(wal["disk_full_threshold"])
    if "grpc_server_max_recv_msg_size" in server:
        found["max_body_bytes"] = int(server["grpc_server_max_recv_msg_size"])
    if "grpc_server_max_send_msg_size" in server:
        found["max_answer_bytes"] = int(server["grpc_server_max_send_msg_size"])
    return StoreLimits(**found)


def _ns(value: Any) -> int:
    return 0 if str(value) in {"0", "0s"} else parse_duration_ns(str(value), "the duration")


def _mib(value: Any) -> int:
    return int(float(value) * _MIB)


_FIELDS: Mapping[str, tuple[str, Any]] = {
    "retention_period": ("retention_ns", _ns),
    "reject_old_samples": ("reject_old_samples", bool),
    "reject_old_samples_max_age": ("reject_old_samples_max_age_ns", _ns),
    "creation_grace_period": ("creation_grace_period_ns", _ns),
    "ingestion_rate_mb": ("ingestion_rate_bytes", _mib),
    "ingestion_burst_size_mb": ("ingestion_burst_bytes", _mib),
    "max_global_streams_per_user": ("max_streams", int),
    "max_label_names_per_series": ("max_label_names_per_series", int),
    "max_label_name_length": ("max_label_name_length", int),
    "max_label_value_length": ("max_label_value_length", int),
    "max_line_size": ("max_line_bytes", parse_bytes),
    "max_line_size_truncate": ("max_line_size_truncate", bool),
    "max_structured_metadata_entries_count": ("max_structured_metadata_count", int),
    "max_structured_metadata_size": ("max_structured_metadata_bytes", parse_bytes),
    "discover_log_levels": ("discover_log_levels", bool),
    "log_level_fields": ("log_level_fields", tuple),
    "log_level_from_json_max_depth": ("log_level_max_depth", int),
    "max_entries_limit_per_query": ("max_entries", int),
    "max_query_series": ("max_query_series", int),
    "max_query_length": ("max_query_length_ns", _ns),
    "query_timeout": ("query_timeout_s", lambda value: _ns(value) / NS_PER_S),
}
_SHOWN_NAMES = {"retention_period": "retention_period (LOKI_RETENTION or --retention)"}
"""Of limits that are set elsewhere, too."""
