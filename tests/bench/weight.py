"""How much one installs: the packages that come along, and their bytes, according to this environment's metadata."""

import json
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from tests.bench.samples import MEGABYTE
from tests.bench.tables import NOT_INSTALLED, Goal, print_table, times

__all__ = ["run"]

# wechatpy cannot be imported without an AES, though it does not require one.
_INSTALLED = ("urllib3", "wxcs_lite", "wxcs_lite[push]", "requests", "httpx", "wechatpy", "wechatpy[cryptography]")
_OURS = "wxcs_lite"


def run(quick: bool) -> list[Goal]:
    """Count and print; quick or not is the same."""
    try:
        import packaging.requirements  # noqa: F401
    except ImportError:
        print("\n## Weight\n\npackaging is not installed")
        return []
    sizes: dict[str, dict[str, int] | None] = {}
    for name in _INSTALLED:
        try:
            sizes[name] = _closure(name)
        except PackageNotFoundError:
            sizes[name] = None
    ours = sum((sizes[_OURS] or {}).values())
    rows: list[list[str]] = []
    for name, found in sizes.items():
        if not found:
            rows.append([name, NOT_INSTALLED])
            continue
        total = sum(found.values())
        others = ", ".join(sorted(found.keys() - {name.partition("[")[0]}))
        shown = others if len(others) <= 40 else f"{others[:39]}…"
        rows.append([name, str(len(found)), f"{total / MEGABYTE:.2f}", times(total / ours), shown])
    headings = ("pip install", "packages", "MB", "/ wxcs_lite", "what comes along")
    print_table("Weight: what is installed, without compiled bytecode", headings, rows, words=(0, 4))
    return []


def _closure(requirement: str) -> dict[str, int]:
    """Return the bytes of a requirement and of all it requires here, by name."""
    from packaging.requirements import Requirement

    sizes: dict[str, int] = {}
    open_ends = [Requirement(requirement)]
    seen: set[tuple[str, str]] = set()
    while open_ends:
        wanted = open_ends.pop()
        found = distribution(wanted.name)
        name = found.metadata["Name"].lower().replace("_", "-")
        sizes.setdefault("wxcs_lite" if name == "wxcs-lite" else name, _size(found))
        for extra in ("", *wanted.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for line in found.requires or ():
                more = Requirement(line)
                if more.marker is None or more.marker.evaluate({"extra": extra}):
                    open_ends.append(more)
    return sizes


def _size(found: Distribution) -> int:
    """Return the bytes of its files; of an editable one only a pointer is installed, so its package is looked at."""
    files = [Path(str(file.locate())) for file in found.files or ()]
    editable = json.loads(found.read_text("direct_url.json") or "{}").get("dir_info", {}).get("editable")
    spec = find_spec(found.metadata["Name"]) if editable else None
    if spec is not None and spec.origin is not None:
        files += list(Path(spec.origin).parent.rglob("*"))
    return sum(file.stat().st_size for file in files if file.is_file() and file.suffix != ".pyc")
