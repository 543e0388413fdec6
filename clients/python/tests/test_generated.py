"""Where the generated code lives: in nobody's way."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest
from google.protobuf import descriptor_pool

from twind._generated.grpc.health.v1 import health_pb2
from twind._generated.twind.v1 import twin_service_stub
from twind._generated.twind.v1.twin_service_pb2 import Change


def test_the_pool_that_a_process_shares_is_left_alone():
    assert health_pb2.DESCRIPTOR.name == "grpc/health/v1/health.proto"
    for name in ("grpc/health/v1/health.proto", "twind/v1/twin.proto", "ttrpc/ttrpc.proto"):
        with pytest.raises(KeyError):
            descriptor_pool.Default().FindFileByName(name)


def test_no_top_level_names_are_taken_and_no_event_loop_is_loaded():
    code = "import sys, twind; print(sorted({'grpc', 'ttrpc', 'twind.v1', 'asyncio', 'twind.aio'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_messages_can_be_pickled():
    change = Change(attribute="a", remove=True)
    assert pickle.loads(pickle.dumps(change)) == change


def test_methods_hold_their_names_and_codec():
    method = twin_service_stub.GET_TWIN
    assert (method.service, method.name) == ("twind.v1.TwinService", "GetTwin")
    assert method.prefix == b"\x0a\x14twind.v1.TwinService\x12\x07GetTwin"
