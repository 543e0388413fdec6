"""All methods of the daemon, from the service descriptors, so that new ones are included automatically."""

from __future__ import annotations

import importlib
import pkgutil

from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor

import twind._generated


def methods() -> dict[str, MethodDescriptor]:
    """By full name: all that stand in any file that the client was generated from."""
    found: dict[str, MethodDescriptor] = {}
    for module in pkgutil.walk_packages(twind._generated.__path__, "twind._generated."):
        if not module.name.endswith("_pb2"):
            continue
        for service in importlib.import_module(module.name).DESCRIPTOR.services_by_name.values():
            found |= {method.full_name: method for method in service.methods}
    return found


METHODS = methods()
assert {"twind.v1.TwinService.GetTwin", "twind.v1.AdminService.Backup", "grpc.health.v1.Health.Watch"} <= set(METHODS)


def is_repeated(one: FieldDescriptor) -> bool:
    """In older versions of protobuf, too."""
    return bool(one.is_repeated if hasattr(one, "is_repeated") else one.label == FieldDescriptor.LABEL_REPEATED)
