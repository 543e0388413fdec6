"""The descriptor pool of the generated messages.

It is ours alone: in the pool that a process shares, a second `grpc/health/v1/health.proto` would be an error.
Called by the modules in `_generated`, where it stands in for `google.protobuf.descriptor_pool`.
"""

from google.protobuf import descriptor_pool

_POOL = descriptor_pool.DescriptorPool()


def Default() -> descriptor_pool.DescriptorPool:  # the name that generated code calls
    return _POOL
