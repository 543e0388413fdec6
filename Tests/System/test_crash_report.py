"""The crash report in the log says where the crash happened, and contains no stored data."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from daemon import Daemon


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGILL, signal.SIGABRT, signal.SIGTRAP])
def test_crash_report_holds_no_values(number: signal.Signals, start: Callable[..., Daemon]) -> None:
    daemon = start()
    with daemon.client() as client:
        client.update("acme/customer/1", {"secret": "the-value-of-a-customer"})
    os.kill(daemon.pid, number)
    assert daemon.wait() == -number
    report = daemon.logged()
    assert "crashed" in report and f"Signal {int(number):02}" in report
    assert len([line for line in report.splitlines() if "[0x" in line]) > 2, report
    for forbidden in ("the-value-of-a-customer", "Registers", "rax", "rsp"):
        assert forbidden not in report
