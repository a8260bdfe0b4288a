"""The core with nothing but urllib3: run by a plain `python tests/bare.py`, with no test framework around.

It runs the doctests of every module that is not an extra, the whole tour, and checks that nothing else was imported.
"""

import doctest
import importlib
import io
import pkgutil
import sys

import wxcs_lite

FLAGS = doctest.ELLIPSIS
EXTRAS = (
    "wxcs_lite.panel",
    "wxcs_lite.push",
    "wxcs_lite.signing",
    "wxcs_lite.signing_keys",
    "wxcs_lite.testing",
    "wxcs_lite.__main__",
)
ALLOWED = {"wxcs_lite", "urllib3"}


def core_modules() -> list[str]:
    """Return the names of all modules that need no extra."""
    names = [module.name for module in pkgutil.walk_packages(wxcs_lite.__path__, "wxcs_lite.")]
    return ["wxcs_lite", *(name for name in names if not name.startswith(EXTRAS))]


def foreign_modules() -> set[str]:
    """Return what is imported and comes neither from Python itself nor from the two that are allowed."""
    tops = {name.partition(".")[0] for name, module in sys.modules.items() if getattr(module, "__file__", None)}
    return tops - set(sys.stdlib_module_names) - ALLOWED - {"__main__", "sitecustomize", "usercustomize"}


def main() -> int:
    attempted = failed = 0
    for name in core_modules():
        result = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
        attempted, failed = attempted + result.attempted, failed + result.failed
    from wxcs_lite.terminal.tour import tour

    toured = tour(out=io.StringIO())
    foreign = {name for name in foreign_modules() if not name.startswith("_")}
    print(f"bare core: {attempted - failed} passed, {failed} failed; tour {'done' if toured else 'FAILED'}")
    print(f"imported besides urllib3: {', '.join(sorted(foreign)) or 'nothing'}")
    return 0 if attempted > 50 and not failed and toured and not foreign else 1


if __name__ == "__main__":
    sys.exit(main())
