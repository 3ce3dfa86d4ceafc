"""Which names hold secrets, judged by their words, and passwords inside URLs.

`docs/security.md` says what this catches and what it does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from numbers import Number
from typing import Any

from lokikit.fields import REDACTED
from lokikit.output.safe_text import clean


def _word_set(words: str) -> frozenset[str]:
    return frozenset(words.split())


SECRET_WORDS = _word_set(
    "accesskey apikey authorization backupcode backupcodes bearer connectionstring connectsid "
    "connstr cookie cookies cred credential credentials creds encryptionkey jwt jwts masterkey "
    "mfacode passcode passphrase passwd password passwords privatekey pwd recoverycode "
    "recoverycodes secret secrets seedphrase sessid sessionid sessionkey signingkey sshkey "
    "sshpass token tokens"
)
"""Anywhere in a name, in any case and with any separators (`X-Api-Key`, `dbPassword`)."""

LAST_SECRET_WORDS = _word_set("auth csrf cvc cvv dsn hmac otp pass pw sig signature totp xsrf")
"""At the end of a name, or before one of `_VALUE_WORDS`: `db_pass`, but not `pass_rate`."""

ONLY_SECRET_WORDS = frozenset({"sid"})
"""The whole name: an `account_sid` is no secret."""

_VALUE_WORDS = _word_set(
    "b64 base base64 code cookie current data digest hash header headers hex info key new old "
    "plain raw sha str string text used value values"
)
_DIGIT_SECRETS = frozenset({"cvc", "cvv", "otp", "totp"})
"""Secrets that are numbers by nature; a number under any other built-in name is none."""

_ABOUT_WORDS = _word_set(
    "age alg algorithm at attempt attempts audience banner bucket budget changed claims consent "
    "cost count counter counts created date days dir directory disabled domain enabled endpoint "
    "error errors exists expired expires expiration expiry failed failures file filename folder "
    "format found httponly in index invalid issuer kind len length lifetime limit limits manager "
    "max method min minutes missing mode ms name names ok path paths per policies policy position "
    "preferences present provider rate ratio remaining required rotated rotation rules samesite "
    "scheme scope scopes seconds secure service size source state status strength time timeout "
    "timestamp total ttl type types updated usage valid validity verified version"
)
"""Behind a secret's word they make a name that speaks about it: `token_type`, `cookie_banner`."""

_QUESTION_WORDS = _word_set(
    "can had has have is must need needs no require requires should was without"
)
"""In front of a name they make it a question: `has_token`."""

_COUNTED_TOKENS = _word_set(
    "accepted audio average avg billed budget cached completion consumed context estimated "
    "generated image input max mean min n num number output prompt reasoning rejected remaining "
    "text thinking total used"
)
"""In front of `tokens` they make it a number of a language model's tokens."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
_ENDS_AS_SECRET = re.compile(
    r"(?:accesskey|apikey|authorization|cookie|credential|passphrase|passwd|password|privatekey"
    r"|pwd|secret|sessionid|sessid|token|(?:db|smtp|user|ftp|ssh|redis)pass)s?$"
)
"""Of names that nobody separated: `csrfmiddlewaretoken`, `PGPASSWORD`."""
_BEGINS_AS_SECRET = re.compile(
    r"(?:accesskey|apikey|passphrase|passwd|passwords?|privatekey|sessionid)(.+)"
)
_NO_SECRETS = frozenset({"passwordless"})
_NUMBERS = frozenset({int, bool, float})
_MAX_CACHED = 4096
_MAX_WORDS_JOINED = 5
"""`Card Number` finds `cardNumber`, and `API key` finds `APIKey`."""
_MAX_CHARACTERS = 256
"""Of a name that are looked at, at either end."""

AT = ord("@")
"""A number is found in bytes ten times as fast as a byte string."""
_URL_PASSWORD = re.compile(
    rb"(://[^\s/?#:@\"'<>`\\]*):[^\s/?#\"'<>`\\]+@"  # up to the last @ before the path
)
_SHOWN_FIELD = re.compile(
    r"(\b\w{1,64}['\"]?\s?[:=]\s?)(b?'(?:[^'\\]|\\.)*'|b?\"(?:[^\"\\]|\\.)*\")"
)
"""A name and its quoted value in what Python shows of an object."""


class SecretNames:
    """Decides whether a key names a secret.

    Args:
        more: further words. Under a name that has one of them numbers are secrets too.
    """

    def __init__(self, more: Iterable[str] = ()) -> None:
        self._more = frozenset(filter(None, map(_squeeze, more)))
        self.spared: set[str] = set()
        """Names that `spares` has found to be none of a secret."""
        self.is_secret = lru_cache(_MAX_CACHED)(self._is_secret)
        """Return True when a key of this name holds a secret, unless the value is a number."""
        self._hides_numbers = lru_cache(_MAX_CACHED)(self._is_secret_number)

    def __contains__(self, name: str) -> bool:
        return self.is_secret(name)

    def spares(self, names: Iterable[Any]) -> bool:
        """Return True when all keys are plain text, and none names a secret or is `value`."""
        spared = self.spared
        return all(name in spared or self._learn(name) for name in names)

    def _learn(self, name: Any) -> bool:
        if type(name) is not str or clean(name) != name or name == "value" or self.is_secret(name):
            return False
        if len(self.spared) > _MAX_CACHED:
            self.spared.clear()
        self.spared.add(name)
        return True

    def hides(self, name: str, value: Any) -> bool:
        """Return True when this value of a key of this name is a secret."""
        if not self.is_secret(name):
            return False
        # The types are asked first: an abstract class takes ten times as long.
        kind = type(value)
        is_number = kind in _NUMBERS or (kind is not str and isinstance(value, Number))
        return not is_number or self._hides_numbers(name)

    def mask(self, shown: str) -> str:
        """What Python shows of an object, without the values of secrets: `password='x'`."""
        return _SHOWN_FIELD.sub(self._mask_field, shown)

    def _mask_field(self, match: re.Match[str]) -> str:
        name = match[1].rstrip("'\" :=")
        return f"{match[1]}'{REDACTED}'" if self.is_secret(name) else match[0]

    def _is_secret(self, name: str) -> bool:
        words = _words(name)
        plain = [word for word in words if not word.isdigit()]
        if not plain or plain[0] in _QUESTION_WORDS:
            return False
        return self._holds_more(words) or _holds_secret(plain)

    def _is_secret_number(self, name: str) -> bool:
        words = _words(name)
        return self._holds_more(words) or not _DIGIT_SECRETS.isdisjoint(words)

    def _holds_more(self, words: Sequence[str]) -> bool:
        found = _ends_of(words, self._more) if self._more else ()
        return any(_ABOUT_WORDS.isdisjoint(words[end:]) for end in found)


def mask_url_passwords(line: bytes) -> bytes:
    """The line with `[redacted]` for the passwords of its URLs; the line itself without any."""
    if AT not in line or b"://" not in line:
        return line
    return _URL_PASSWORD.sub(rb"\1:" + REDACTED.encode() + b"@", line)


def _holds_secret(words: Sequence[str]) -> bool:
    if len(words) == 1 and words[0] in ONLY_SECRET_WORDS:
        return True
    return (
        any(
            _ABOUT_WORDS.isdisjoint(words[end:]) and not _counts_tokens(words[:end])
            for end in _ends_of(words, SECRET_WORDS)
        )
        or any(_VALUE_WORDS.issuperset(words[end:]) for end in _ends_of(words, LAST_SECRET_WORDS))
        or (_ABOUT_WORDS.isdisjoint(words) and any(map(_is_joined_secret, words)))
    )


def _ends_of(words: Sequence[str], secrets: frozenset[str]) -> list[int]:
    """Behind which words a secret's word ends, also one that was separated: `pass_word`."""
    return [
        end
        for start in range(len(words))
        for end in range(start + 1, min(start + _MAX_WORDS_JOINED, len(words)) + 1)
        if "".join(words[start:end]) in secrets
    ]


def _counts_tokens(words: Sequence[str]) -> bool:
    return words[-1] == "tokens" and not _COUNTED_TOKENS.isdisjoint(words[:-1])


def _is_joined_secret(word: str) -> bool:
    """Return True when a word without separators names a secret: `dbpassword`."""
    if word in SECRET_WORDS or word in _NO_SECRETS:
        return False
    if begun := _BEGINS_AS_SECRET.match(word):
        return begun[1] not in _ABOUT_WORDS
    ended = _ENDS_AS_SECRET.search(word)
    return ended is not None and not (
        word.endswith("tokens") and word.removesuffix("tokens") in _COUNTED_TOKENS
    )


def _words(name: str) -> list[str]:
    if len(name) > 2 * _MAX_CHARACTERS:
        name = f"{name[:_MAX_CHARACTERS]} {name[-_MAX_CHARACTERS:]}"
    return [word.lower() for word in _WORD.findall(name)]


def _squeeze(name: str) -> str:
    return "".join(_words(name))
