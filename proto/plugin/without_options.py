"""The protos as clients and protoc-c get them: without twind/v1/options.proto and what the methods state with it.

    without_options.py DIR FILE...    writes FILE..., below the working directory, into DIR under the same names

protoc-c 1.4.1 cannot compile the extension that options.proto declares, and a client that compiles the protos would
need a file that tells it nothing.
"""

import re
import sys
from pathlib import Path

IMPORT = 'import "twind/v1/options.proto";\n'
METHOD = re.compile(r" \{\s*option \(method\) = \{[^{}]*\};\s*\}")


def without_options(text: str) -> str:
    plain = METHOD.sub(";", text.replace(IMPORT, ""))
    if "options.proto" in plain or "option (" in plain:
        raise ValueError("write options as `{ option (method) = {...}; }` behind the method, and nowhere else")
    return plain


def main(folder: str, *files: str) -> None:
    for name in files:
        target = Path(folder, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.write_text(without_options(Path(name).read_text()))
        except ValueError as error:
            sys.exit(f"{name}: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
