"""Frozen dataclasses ⇄ JSON. Every config of Sayact is a dataclass; this is how it lies on disk."""

from dataclasses import asdict
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from sayact.schema.errors import SayactError

T = TypeVar("T")


class ConfigError(SayactError):
    """A config that does not have the fields or types it should."""


def to_json(config: Any) -> dict[str, Any]:
    """A dataclass as plain JSON values."""
    return asdict(config)


def from_json(cls: type[T], data: dict[str, Any]) -> T:
    """The dataclass `cls` from plain JSON values, checked field by field."""
    try:
        return TypeAdapter(cls).validate_python(data)
    except (ValidationError, TypeError) as error:
        lines = "; ".join(str(error).splitlines()[1:4])
        raise ConfigError(f"not a valid {cls.__name__}: {lines}") from error
