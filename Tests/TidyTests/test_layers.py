"""A target imports only what the design's table allows, and lists in Package.swift exactly what it imports."""

import re

from tree import ROOT, imports, tracked

SYSTEM = {"Dispatch", "Glibc", "Synchronization", "Foundation", "FoundationEssentials", "SystemPackage", "Musl"}

# Each layer and what it may import besides the system's modules.
ALLOWED = {
    "TwinCore": {"CEL", "CTwindProto", "DequeModule", "OrderedCollections", "HeapModule"},
    "TTRPC": {"CLinux", "CProtobufC", "CTTRPCProto", "Threads", "DequeModule"},
    "TwinStore": {"TwinCore", "CTwindProto", "CLinux", "Threads", "GRDB", "GRDBSQLite", "DequeModule"},
    "TwinRoutes": {"TTRPC", "CTwindProto"},
    "TwinService": {
        "TwinRoutes", "TwinStore", "TwinCore", "TTRPC", "CTwindProto", "CLinux", "Threads", "Logging",
        "DequeModule", "HeapModule",
        "ServiceLifecycle",
    },
    "TwinClient": {"TTRPC", "CProtobufC", "CTwindProto", "CTTRPCProto", "TwinRoutes"},
    "Threads": {"CLinux", "HeapModule"},
    "twind": {
        "TwinService", "TwinStore", "TwinText", "TwinCore", "CLinux", "ArgumentParser", "Configuration", "Logging",
        "ServiceLifecycle",
    },
    "TwinText": {"TwinClient"},
    "twinctl": {"TwinText", "TwinClient", "TwinRoutes", "TTRPC", "CProtobufC", "CLinux", "ArgumentParser"},
    "twinbench": {
        "CBench", "TwinText", "TwinClient", "TwinRoutes", "TTRPC", "Threads", "CTwindProto", "CLinux", "ArgumentParser",
        "Histogram",
    },
}


def targets() -> dict[str, set[str]]:
    """Swift targets of Sources/ and the modules that their files import."""
    found: dict[str, set[str]] = {}
    for path in tracked("Sources/*.swift"):
        found.setdefault(path.relative_to(ROOT).parts[1], set()).update(imports(path))
    return found


def test_every_target_has_a_layer():
    assert set(targets()) <= set(ALLOWED)


def test_imports_follow_the_layers():
    wrong = {
        target: sorted(used - ALLOWED[target] - SYSTEM)
        for target, used in targets().items()
        if used - ALLOWED[target] - SYSTEM
    }
    assert not wrong


def test_no_transitive_imports():
    """What a target imports it also depends on by name: nothing comes along by accident."""
    package = (ROOT / "Package.swift").read_text()
    products = dict(re.findall(r'let (\w+) = Target\.Dependency\.product\(name: "(\w+)"', package))
    for target, used in targets().items():
        declared = re.search(rf'name: "{target}",\s*dependencies: \[([^\]]*)\]', package)
        listed = declared[1] if declared else ""
        names = set(re.findall(r'"(\w+)"', listed)) | {
            products[word] for word in re.findall(r"\b([a-z]\w+)\b", listed) if word in products
        }
        missing = used - names - SYSTEM
        assert not missing, f"{target} imports {sorted(missing)} and does not depend on it"
