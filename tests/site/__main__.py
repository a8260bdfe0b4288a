"""python -m tests.site OUT [--zip]: the course in a browser tab, as a folder for any web server."""

import argparse
from pathlib import Path

from tests.site.build import build, pack


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.site", description=__doc__)
    parser.add_argument("out", type=Path, help="a folder that does not exist, or that an earlier run has built")
    parser.add_argument("--zip", action="store_true", help="also write OUT.zip, to be unpacked on a web server")
    chosen = parser.parse_args()
    out = chosen.out.resolve()
    build(out)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"{out}: {size / 1e6:.1f} MB. Try it: python -m http.server --bind 127.0.0.1 --directory {out}")
    if chosen.zip:
        packed = pack(out)
        print(f"{packed}: {packed.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
