"""The verbs of a host: the drivers' methods as they travel through the journal, as JSON.

Everything is read from the protocols in `drivers.base`: a method added there is a verb here.
Arguments travel by name; dataclasses as objects, bytes as base64, enumerations as their values.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, get_type_hints

import msgspec

from hanok.drivers.base import Drivers
from hanok.model.errors import HostError

LOCAL = frozenset({"compute.watch", "compute.close"})
"""Methods about the driver object in this process; they cannot be asked for from elsewhere."""

PARTS: Mapping[str, type] = MappingProxyType(get_type_hints(Drivers))
"""The parts of a host's drivers and their protocols: compute, storage, network."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One method of one protocol: `parameters` and `returns` are its types.

    `required` names the parameters that have no default.
    """

    name: str
    part: str
    method: str
    parameters: Mapping[str, Any]
    required: frozenset[str]
    returns: Any

    def decode_args(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Turn JSON arguments into the method's own.

        Raises a permanent HostError when they do not fit.
        """
        self._check_names(args)
        try:
            return {
                name: msgspec.convert(value, self.parameters[name]) for name, value in args.items()
            }
        except msgspec.ValidationError as error:
            raise self._misfit(str(error)) from error

    def encode_args(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Turn the method's arguments into JSON; raise a permanent HostError if they do not fit."""
        try:
            args = {name: _to_json(value) for name, value in kwargs.items()}
        except (TypeError, ValueError) as error:
            raise self._misfit(str(error)) from error
        self.decode_args(args)
        return args

    def encode_result(self, value: Any) -> Any:
        """Turn what the method returned into JSON-able builtins."""
        return _to_json(value)

    def decode_result(self, value: Any) -> Any:
        """Turn a JSON result back into what the method returned; the reverse of `encode_result`."""
        try:
            return msgspec.convert(value, self.returns)
        except msgspec.ValidationError as error:
            raise self._misfit(str(error)) from error

    def call(self, drivers: Drivers, kwargs: Mapping[str, Any]) -> Any:
        """Call the method on one host's drivers with decoded arguments."""
        return getattr(getattr(drivers, self.part), self.method)(**kwargs)

    def _check_names(self, args: Mapping[str, Any]) -> None:
        unknown = sorted(args.keys() - self.parameters.keys())
        missing = sorted(self.required - args.keys())
        if unknown or missing:
            raise self._misfit(f"unknown arguments {unknown}, missing arguments {missing}")

    def _misfit(self, why: str) -> HostError:
        return HostError(
            "The host does not understand the request.",
            detail=f"{self.name}: {why}",
            permanent=True,
        )


def verb(name: str) -> Verb:
    """Return the verb of that name; raise a permanent HostError when there is none."""
    found = VERBS.get(name)
    if found is None:
        raise HostError(
            "The host does not understand the request.",
            detail=f"no such verb: {name}",
            permanent=True,
        )
    return found


def encode_args(name: str, /, **kwargs: Any) -> dict[str, Any]:
    """Turn arguments into JSON for the verb `name`.

    Raises a permanent HostError when they do not fit.
    """
    return verb(name).encode_args(kwargs)


def _to_json(value: Any) -> Any:
    # Through the bytes, so that it equals what is read back from the journal: lists, not tuples.
    return msgspec.json.decode(msgspec.json.encode(value))


def _inspect_verbs() -> dict[str, Verb]:
    verbs = {}
    for part, protocol in PARTS.items():
        for method, function in inspect.getmembers(protocol, inspect.isfunction):
            name = f"{part}.{method}"
            if not method.startswith("_") and name not in LOCAL:
                verbs[name] = _inspect_verb(part, method, function)
    return verbs


def _inspect_verb(part: str, method: str, function: Any) -> Verb:
    hints = get_type_hints(function)
    parameters = dict(list(inspect.signature(function).parameters.items())[1:])
    return Verb(
        name=f"{part}.{method}",
        part=part,
        method=method,
        parameters=MappingProxyType({name: hints[name] for name in parameters}),
        required=frozenset(
            name for name, found in parameters.items() if found.default is found.empty
        ),
        returns=hints["return"],
    )


VERBS: Mapping[str, Verb] = MappingProxyType(_inspect_verbs())
"""Every verb by its name, "storage.create_disk"."""
