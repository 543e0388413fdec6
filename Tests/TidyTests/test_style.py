"""Length of files and functions, words that have no place here, links, the formatter, the top level."""

import re
import statistics
import subprocess
from pathlib import Path

from tree import ROOT, name, tracked, written

SOURCES = ("Sources/*.swift", "Tests/*.swift", "clients/*.py", "clients/*.c", "clients/*.h", "Tests/*.py")
# Put together here so that this file does not hold them.
UNFINISHED = [a + b for a, b in [("TO", "DO"), ("FIX", "ME"), ("X", "XX"), ("for n", "ow\\b(?!:)"), ("not imple", "mented")]]
EMPTY_NAMES = re.compile(r"\b(?:class|struct|enum|protocol|actor)\s+\w*(?:Manager|Helper|Util|Utils|Base)\b")
FUNCTION = re.compile(r"^(\s*)(?:[\w@()]+\s+)*(?:func|init|deinit|subscript)\b.*$")


def test_top_level():
    top = {path.relative_to(ROOT).parts[0] for path in tracked(".")}
    allowed = {"Package.swift", "README.md", "Sources", "Tests", "proto", "clients", ".ci", ".swift-format", ".gitignore"}
    assert top <= allowed


def test_files_are_short():
    lines = {name(path): len(path.read_text().splitlines()) for path in written(*SOURCES)}
    assert not {path: count for path, count in lines.items() if count > 600}
    assert statistics.median(lines.values()) <= 120


def test_the_readme_is_short():
    """It is for users. Figures, proofs and decisions stand beside the code they are about, in READMEs of their own."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 250


def test_links_lead_somewhere():
    """Links from one document to another file, and to a heading of it."""
    dead = []
    for path in tracked("*.md"):
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
            file, _, heading = target.partition("#")
            there = path.parent / file if file else path
            if "://" in target or (there.exists() and (not heading or heading in headings(there))):
                continue
            dead.append(f"{name(path)}: {target}")
    assert not dead


def headings(path: Path) -> set[str]:
    """As links name them."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_functions_are_short():
    long = []
    for path in written("Sources/*.swift", "Tests/*.swift"):
        lines = path.read_text().splitlines()
        for start, line in enumerate(lines):
            match = FUNCTION.match(line)
            if not match or line.rstrip().endswith("}"):
                continue
            end = next((i for i in range(start, len(lines)) if lines[i].startswith(match[1] + "}")), start)
            if end - start + 1 > 70:
                long.append(f"{name(path)}:{start + 1}")
    assert not long


def test_nothing_is_unfinished():
    found = [
        f"{name(path)}: {word}"
        for path in written(*SOURCES)
        if path.name != "test_style.py"
        for word in UNFINISHED
        if re.search(rf"\b{word}\b", path.read_text())
    ]
    assert not found


def test_names_say_something():
    found = [name(path) for path in written("Sources/*.swift") if EMPTY_NAMES.search(path.read_text())]
    assert not found


def test_no_traps_on_the_way():
    found = [name(p) for p in written("Sources/*.swift") if re.search(r"\btry!|\bas!|@testable", p.read_text())]
    assert not found


def test_every_file_says_what_it_is_for():
    missing = [
        name(path) for path in written("Sources/*.swift") if not path.read_text().startswith("//")
    ]
    assert not missing


def test_formatter_is_content():
    result = subprocess.run(
        ["swift", "format", "lint", "--strict", "--recursive", "Sources", "Tests"],
        cwd=ROOT, capture_output=True, text=True,
    )
    assert result.returncode == 0, result.stderr[:4000]
