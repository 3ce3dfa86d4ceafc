from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from lokikit.alerts.silences import EVERY_RULE, Silence, add_silence, lift_silence, read_silences
from lokikit.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

SHOP = {"service_name": "shop", "env": "dev"}


def test_silence_covers_its_rule_and_service_until_its_end() -> None:
    silence = Silence(1, "error-ratio", "shop", until_ns=10, made_ns=0)
    assert silence.covers("error-ratio", SHOP, 9)
    assert not silence.covers("error-ratio", SHOP, 10)
    assert not silence.covers("any-error", SHOP, 9)
    assert not silence.covers("error-ratio", {"service_name": "jobs"}, 9)
    assert not silence.covers("error-ratio", {}, 9)


def test_silence_without_a_service_covers_every_service() -> None:
    assert Silence(1, "error-ratio", "", 10, 0).covers("error-ratio", SHOP, 9)
    assert Silence(1, "error-ratio", "", 10, 0).covers("error-ratio", {}, 9)


def test_silence_of_a_rule_covers_the_rule_that_is_set_for_one_service() -> None:
    own = {**SHOP, "rule": "error-ratio"}
    assert Silence(1, "error-ratio", "shop", 10, 0).covers("error-ratio-shop", own, 9)
    assert not Silence(1, "error-ratio-shop", "shop", 10, 0).covers("error-ratio", SHOP, 9)


def test_silence_of_all_covers_every_rule() -> None:
    assert Silence(1, EVERY_RULE, "shop", 10, 0).covers("any-error", SHOP, 9)


def test_silences_are_listed_by_their_end(tmp_path: Path) -> None:
    late = add_silence(tmp_path, "error-ratio", "shop", 20, 0)
    soon = add_silence(tmp_path, "any-error", "", 10, 0)
    assert read_silences(tmp_path, 5) == [soon, late]


def test_silence_that_is_over_is_not_listed(tmp_path: Path) -> None:
    add_silence(tmp_path, "error-ratio", "shop", 20, 0)
    assert read_silences(tmp_path, 20) == []


def test_lifted_silence_is_gone(tmp_path: Path) -> None:
    kept, lifted = (add_silence(tmp_path, "error-ratio", name, 20, 0) for name in ("a", "b"))
    assert lift_silence(tmp_path, lifted.number, 5) == lifted
    assert read_silences(tmp_path, 5) == [kept]


def test_lifting_what_is_not_there_names_what_is(tmp_path: Path) -> None:
    add_silence(tmp_path, "error-ratio", "shop", 20, 0)
    with pytest.raises(SettingsError, match="no silence 7: there is 1"):
        lift_silence(tmp_path, 7, 5)


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "silences.json").write_text("{")
    with pytest.raises(SettingsError, match=r"silences\.json"):
        read_silences(tmp_path, 0)


def test_silences_made_at_once_are_all_kept(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda name: add_silence(tmp_path, name, "", 9, 0), map(str, range(20)))
    numbers = [one.number for one in made]
    assert sorted(numbers) == list(range(1, 21))
    assert len(read_silences(tmp_path, 0)) == 20
