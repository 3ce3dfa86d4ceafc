"""What is generated from the chart's values, and what must stand in two places."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from typing import Any

import pytest
import yaml

from lokikit.stack.kit_files import kit_env, kit_root

CHART = kit_root() / "deploy/chart"
PAGE = kit_root() / "docs/kubernetes.md"
VALUES = (CHART / "values.yaml").read_text()


def generator() -> Any:
    """The script beside the values."""
    spec = importlib.util.spec_from_file_location("chart_generate", CHART / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["README.md", "values.schema.json"])
def test_generated_files_are_current(name: str) -> None:
    """They are what `python deploy/chart/generate.py` writes from the comments."""
    assert generator().generated(VALUES)[name] == (CHART / name).read_text()


def test_no_unknown_key_anywhere() -> None:
    """Each mapping of the schema is closed, but those that are the user's own."""
    ours = []

    def walk(schema: dict[str, Any], path: str) -> None:
        if schema.get("type") == "object" and schema.get("properties"):
            assert schema["additionalProperties"] is False, path
            ours.append(path)
        for key, below in schema.get("properties", {}).items():
            walk(below, f"{path}.{key}")

    walk(json.loads((CHART / "values.schema.json").read_text()), "")
    assert len(ours) > 10


def test_every_part_is_described() -> None:
    """A key without a comment of its own stands below one that has one, or says it by its name."""
    plain = {"enabled", "image", "resources", "repository", "tag", "requests", "limits", "size"}
    plain |= {"nodeSelector", "tolerations", "priorityClassName", "storageClass", "region", "auth"}
    plain |= {"bucket", "className", "host", "annotations", "hostnames", "ingress", "persistence"}
    plain |= {"loki", "agent", "grafana", "networkPolicy", "registry", "labels", "service", "rbac"}
    # Those that every chart has, and that Kubernetes describes.
    plain |= {"serviceAccount", "podLabels", "podAnnotations", "podSecurityContext", "affinity"}
    plain |= {"securityContext", "extraEnv", "extraVolumes", "extraVolumeMounts", "type"}
    plain |= {"s3", "sse", "kmsKeyId", "azure", "account", "container", "name", "monitoring"}
    plain |= {
        "accessKeyIdKey",
        "secretAccessKeyKey",
        "intake",
        "create",
        "kind",
        "include",
        "exclude",
    }
    silent = {one.path[-1] for one in generator().read_values(VALUES) if not one.text}
    assert silent <= plain


def test_version_is_that_of_the_kit() -> None:
    """The chart's version is the one of `.env`."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == kit_env({})["LOKIKIT_VERSION"]


def test_links_lead_somewhere() -> None:
    """Configuration, dashboards and settings are links to their one home."""
    links = [path for path in (CHART / "files").iterdir() if path.is_symlink()]
    assert {path.name for path in links} >= {"env", "loki", "fluentbit", "dashboards"}
    assert [path for path in links if not path.exists()] == []


def test_microservices_keep_schema_and_limits() -> None:
    """Values for the community's chart say what `ha` says: its data is read, its limits hold."""
    loki, over, values = (
        yaml.safe_load((kit_root() / f"loki/{name}.yaml").read_text())
        for name in ("loki", "ha", "microservices")
    )
    assert values["loki"]["schemaConfig"] == over["schema_config"]
    own = values["loki"]["limits_config"]
    meant = {"ingestion_rate_strategy", "shard_streams"}
    retention = kit_env({})["LOKI_RETENTION"]
    ages = dict.fromkeys(("retention_period", "reject_old_samples_max_age"), retention)
    base = {**loki["limits_config"], **ages}
    assert {key: own[key] for key in base if key not in meant} == {
        key: value for key, value in base.items() if key not in meant
    }
    assert values["loki"]["ingester"].items() <= loki["ingester"].items()


@pytest.mark.parametrize("page", ["kubernetes", "growing"])
def test_pages_name_values_that_there_are(page: str) -> None:
    """Each value that a page sets or names by its path is one of the chart."""
    text = (kit_root() / f"docs/{page}.md").read_text()
    paths = {".".join(one.path) for one in generator().read_values(VALUES)}
    parts = "loki|agent|grafana|canary|monitoring|tenants|networkPolicy"
    named = set(re.findall(rf"(?:`|--set )((?:{parts})\.[\w.]+)", text))
    assert named
    assert named - {"loki.yaml"} <= paths


def test_page_lists_the_profiles() -> None:
    """docs/kubernetes.md says what each profile is for."""
    listed = re.findall(r"^\| `(\w[\w-]*\.yaml)` \|", PAGE.read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(path.name for path in (CHART / "ci").iterdir())
