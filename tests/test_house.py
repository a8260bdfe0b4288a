"""The house keeps its rules: arrows only go down, one door to the network, small rooms, no secrets in drawers."""

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType, UnionType

import pytest

import wxcs_lite

PACKAGE = Path(wxcs_lite.__file__).parent
PROJECT = PACKAGE.parent
NOTEBOOKS = sorted((PROJECT / "notebooks").rglob("*.ipynb"))
MODULES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
CLIENT = {name.removesuffix(".py"): path for name, path in MODULES.items() if "/" not in name and name != "__init__.py"}

# From the ground up: a module may import those of the floors below its own, and no others. The receiving side (push)
# is a separate house beside it, and shares the cellar.
FLOORS = (
    {"catalogue", "places", "scrub", "secret"},
    {"errcodes", "held"},
    {"errors"},
    {"require"},
    {"cloudbase", "multipart", "reply_window"},
    {"messages", "request"},
    {"media", "splitting"},
    {"remarks"},
    {"endpoints", "replies"},
    {"signing_keys"},
    {"signing"},
    {"failures", "forks", "framing", "logs"},
    {"pools"},
    {"tracebacks"},
    {"wire"},
    {"streaming", "transport"},
    {"fresh"},
    {"bot"},
    {"__main__"},
)
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}
PURE = {name for names in FLOORS[: FLOOR["signing"] + 1] for name in names} & set(CLIENT)
PUSH = {name for name in MODULES if name.startswith("push")}
SANDBOX_FLOORS = (
    {"http", "samples"},
    {"rules"},
    {"api", "pushes", "faults"},
    {"watching", "screen"},
    {"core"},
    {"accounts", "customers"},
    {"door"},
    {"sandbox"},
)
SANDBOX_FLOOR = {room: number for number, rooms in enumerate(SANDBOX_FLOORS) for room in rooms}
# How a phone looks, which decides nothing: only what shows itself to people knows it.
KNOWN_TO_SANDBOX = {
    **{f"sandbox/{name}.py": {"look"} for name in ("customers", "screen")},
    **{f"sandbox/door/{name}.py": {"look"} for name in ("actions", "board", "page", "page_words")},
    # The page explains an errcode after the sandbox has decided on it.
    **{f"sandbox/door/{name}.py": {"look", "errcodes"} for name in ("details", "page_files")},
}
TABLES = {"catalogue.py"}
# `transport` only repeats the default of get_quota; the others are texts for people.
KNOW_PATHS = {"endpoints", "catalogue", "transport"}
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
CELLAR = {"catalogue", "places", "secret", "errcodes", "errors", "forks"}
MAY_IMPORT_URLLIB3 = {
    "wire.py", "streaming.py", "pools.py", "failures.py", "tracebacks.py",
    "sandbox/http/pool.py",  # is a pool of urllib3
    "sandbox/sandbox.py",  # names its type
    "sandbox/pushes/targets.py",  # pushes to a URL
}  # fmt: skip
IO = {
    "aiohttp", "asyncio", "ctypes", "ftplib", "httpx", "http", "logging", "mmap", "multiprocessing", "requests",
    "select", "selectors", "shutil", "signal", "smtplib", "socket", "socketserver", "ssl", "subprocess", "tempfile",
    "threading", "urllib.request", "urllib.error", "urllib3",
}  # fmt: skip
# Their examples are those of their twins in `endpoints`; a class that only functions make is shown there.
WITHOUT_EXAMPLE = {
    "FreshCloudbaseToken", "FreshToken", "Reply", "Stream",
    "clear_quota", "get_callback_ip", "get_quota", "get_rid", "set_typing", "showing_typing",
}  # fmt: skip
# Parameters with a default that are free texts: a path, an address, made-up names. All others take one of few words.
FREE_TEXTS = {"appid", "base", "cgi_path", "secret", "url"}


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path, *, typing_too: bool = False) -> set[str]:
    """Return the full names of the modules that a file imports anywhere, in a function or for its type checker too."""
    return set(_imports(parse(path), typing_too))


def _imports(tree: ast.AST, typing_too: bool) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not typing_too:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert 0 == node.level, "imports must name their module in full"
            source = str(node.module)
            # `from package import module` imports the module, too.
            yield from (f"{source}.{alias.name}" if _is_module(source, alias.name) else source for alias in node.names)
        else:
            yield from _imports(node, typing_too)


def _is_module(source: str, name: str) -> bool:
    if source == "urllib":
        return True
    path = PROJECT.joinpath(*source.split("."))
    return source.startswith("wxcs_lite") and (path.joinpath(name).is_dir() or path.joinpath(f"{name}.py").is_file())


def roots(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports(path)}


def ours(path: Path) -> set[str]:
    """Return which modules of the client a file imports: "" is the package itself."""
    found = {name.removeprefix("wxcs_lite").lstrip(".") for name in imports(path) if re.match(r"wxcs_lite\b", name)}
    return {name.partition(".")[0] for name in found}


def test_every_module_has_its_floor() -> None:
    """To add a module is to give it a place in the house."""
    assert set(FLOOR) == set(CLIENT)


@pytest.mark.parametrize("name", CLIENT)
def test_arrows_only_go_down(name: str) -> None:
    """A module imports only those below it: none above, none beside, and not the package as a whole."""
    known = ours(CLIENT[name]) - ({"", "push", "sandbox", "terminal"} if FLOOR[name] > FLOOR["fresh"] else set())
    assert set() == {below for below in known if FLOOR.get(below, 99) >= FLOOR[name]}


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith("testing/")])
def test_nothing_knows_testing(name: str) -> None:
    """It is for users' tests, above everything that they test with; no other module needs pytest."""
    assert "testing" not in ours(MODULES[name])
    assert "pytest" not in roots(MODULES[name])


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("testing/")])
def test_testing_stands_on_calls_pushes_and_sandbox(name: str) -> None:
    """It has no use for a screen: neither the panel nor the terminal is under it."""
    assert ours(MODULES[name]) <= {*CLIENT, "", "push", "sandbox", "testing"} - {"__main__", "bot"}


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("batch/")])
def test_batches_stand_on_calls(name: str) -> None:
    """A batch needs no sandbox, no push and no screen; where there is a notebook, the panel has a bar for it."""
    allowed = {*CLIENT, "batch"} - {"__main__", "bot"} | ({"panel"} if name == "batch/progress.py" else set())
    assert ours(MODULES[name]) <= allowed


def test_receiving_knows_nothing_of_sending() -> None:
    """A program that only answers pushes needs neither pool nor requests."""
    known = {name: ours(MODULES[name]) - CELLAR - {"push"} for name in PUSH}
    assert {} == {name: others for name, others in known.items() if others}


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("sandbox/")])
def test_the_sandbox_knows_nothing_of_the_client(name: str) -> None:
    """Code that both share would let one mistake cancel the other."""
    assert ours(MODULES[name]) <= {"sandbox"} | KNOWN_TO_SANDBOX.get(name, set())


def circles(known: dict[str, set[str]]) -> set[str]:
    """Return the modules that know, through others, themselves, or such a one."""
    while ground := {name for name, others in known.items() if not others & known.keys()}:
        known = {name: others for name, others in known.items() if name not in ground}
    return set(known)


def test_no_module_knows_one_that_knows_it() -> None:
    """No circles anywhere: an import inside a function counts, and so does one for the type checker."""
    full = {_full(name): path for name, path in MODULES.items()}
    known = {name: imports(path, typing_too=True) - {"wxcs_lite"} for name, path in full.items()}
    assert set() == circles(known)


def test_a_circle_is_seen() -> None:
    """The test above would see one, and what stands on it."""
    assert {"a", "b", "c"} == circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()})


def _full(name: str) -> str:
    return "wxcs_lite." + name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def rooms(name: str) -> set[str]:
    """Return which rooms of the sandbox a module of it imports."""
    found = (module.split(".") for module in imports(MODULES[name], typing_too=True))
    return {parts[2] for parts in found if parts[:2] == ["wxcs_lite", "sandbox"] and len(parts) > 2}


@pytest.mark.parametrize("name", [name for name in MODULES if name.count("/") and name.startswith("sandbox/")])
def test_the_flats_of_the_sandbox_have_an_order(name: str) -> None:
    """http < rules < api, pushes < core < door < sandbox: a flat knows those below it, itself, and no other."""
    room = name.split("/")[1].removesuffix(".py")
    if room == "__init__":
        return  # the door: it offers what all of them have
    floor = SANDBOX_FLOOR[room]
    assert set() == {other for other in rooms(name) if other != room and SANDBOX_FLOOR[other] >= floor}


def test_every_room_of_the_sandbox_has_its_floor() -> None:
    """To add a room is to give it a place in the order."""
    found = {name.split("/")[1].removesuffix(".py") for name in MODULES if name.startswith("sandbox/")}
    assert set(SANDBOX_FLOOR) == found - {"__init__"}


@pytest.mark.parametrize("name", MODULES)
def test_one_door_to_the_network(name: str) -> None:
    """Few modules import urllib3, and no module any other network client."""
    allowed = {"urllib3"} if name in MAY_IMPORT_URLLIB3 else set()
    assert roots(MODULES[name]) & {"urllib3", "requests", "httpx", "aiohttp"} <= allowed


@pytest.mark.parametrize("name", sorted(PURE))
def test_pure_modules_import_no_io(name: str) -> None:
    """Values in, values out: another HTTP library can use them without us."""
    found = imports(CLIENT[name])
    assert set() == {module for module in found for io in IO if module == io or module.startswith(f"{io}.")}


@pytest.mark.parametrize("name", MODULES)
def test_only_the_panel_knows_ipywidgets(name: str) -> None:
    """A program without a notebook needs none of it."""
    assert name.startswith("panel/") or not roots(MODULES[name]) & {"ipywidgets", "IPython", "traitlets"}


@pytest.mark.parametrize("name", sorted({*CLIENT} - KNOW_PATHS))
def test_only_endpoints_knows_the_paths_of_calls(name: str) -> None:
    """Its Request says what a call is: whether it takes a token and what comes back. Nothing else looks at a path."""
    tree = parse(CLIENT[name])
    documented = [node.body[0] for node in ast.walk(tree) if isinstance(node, DOCUMENTED) and node.body]
    docstrings = {id(first.value) for first in documented if isinstance(first, ast.Expr)}
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert [] == [text.value for text in texts if "/cgi-bin/" in str(text.value) and id(text) not in docstrings]


def test_little_is_within_the_reach_of_the_log_filter() -> None:
    """A logger outlives the modules: what its filter reaches has to be taken down last, by every process."""
    assert {"logging", "re", "time", "wxcs_lite.scrub"} == imports(CLIENT["logs"])
    assert {"re"} == imports(CLIENT["scrub"])


def test_importing_the_package_brings_nothing_optional() -> None:
    """One run-time dependency: no widgets, no cryptography, and no sandbox in production."""
    script = "import sys, wxcs_lite; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"wxcs_lite.transport", "urllib3"} <= loaded
    unneeded = {"batch", "catalogue", "panel", "push", "sandbox", "terminal", "testing"}
    unwanted = ("ipywidgets", "IPython", "cryptography", "pytest", *(f"wxcs_lite.{name}" for name in unneeded))
    assert set() == {name for name in loaded if name.startswith(unwanted)}


def test_a_dependency_has_one_floor() -> None:
    """Whatever says how to install cryptography says what pyproject.toml does."""
    texts = [PROJECT / "pyproject.toml", *PROJECT.glob("README*.md"), *PROJECT.glob("notebooks/**/*.ipynb")]
    floors = [
        (path.name, floor)
        for path in [*texts, *MODULES.values()]
        for floor in re.findall(r"cryptography>=([0-9.]+)", path.read_text(encoding="utf-8"))
    ]
    assert {"pyproject.toml", "crypto.py", "chat.py"} <= {name for name, _ in floors}
    assert 1 == len({floor for _, floor in floors}), floors


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_is_and_offers(name: str) -> None:
    """A docstring first, then an `__all__`, of names that are there."""
    tree = parse(MODULES[name])
    assert ast.get_docstring(tree)
    offered = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]
    ]
    if not offered and (name.endswith("__main__.py") or len(tree.body) == 1):
        return  # it is run, never imported; or it only gathers other modules
    ((names),) = offered
    assert len(names) == len(set(names))
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    bound |= {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert set() == set(names) - bound


@pytest.mark.parametrize("name", wxcs_lite.__all__)
def test_a_public_name_explains_itself(name: str) -> None:
    """A docstring with an example that runs, unless the name is one of an error that only differs by class."""
    found = getattr(wxcs_lite, name)
    if isinstance(found, UnionType):
        return  # an alias has no docstring of its own
    assert found.__doc__
    plain = isinstance(found, type) and issubclass(found, wxcs_lite.WxError) and "__init__" not in vars(found)
    if not plain:
        assert (">>>" in found.__doc__) == (name not in WITHOUT_EXAMPLE)


def test_public_names_are_sorted_and_unique() -> None:
    """The list can be read, and searched by eye."""
    assert sorted(set(wxcs_lite.__all__)) == wxcs_lite.__all__


def test_completion_shows_what_is_public() -> None:
    """`dir(wxcs_lite)`: the names, the modules that have public names of their own, and what every module has."""
    shown = {name for name in dir(wxcs_lite) if not name.startswith("__")}
    modules = {name for name in shown if isinstance(getattr(wxcs_lite, name), ModuleType)}
    assert set(wxcs_lite.__all__) == shown - modules
    assert modules <= wxcs_lite._PUBLIC_MODULES
    assert {"endpoints", "replies"} <= modules
    assert {"__doc__", "__version__"} <= set(dir(wxcs_lite))


@pytest.mark.parametrize("name", sorted(wxcs_lite._PUBLIC_MODULES))
def test_a_public_module_is_shown_once_it_is_there(name: str) -> None:
    """After `import wxcs_lite.push` an editor completes `wxcs_lite.push`."""
    importlib.import_module(f"wxcs_lite.{name}")
    assert name in dir(wxcs_lite)


def test_readers_are_told_of_no_module_that_completion_hides() -> None:
    """Everything that the READMEs and lessons import is public."""
    texts = [path.read_text(encoding="utf-8") for path in (*PROJECT.glob("README*.md"), *NOTEBOOKS)]
    named = {name for text in texts for name in re.findall(r"\b(?:import|from) wxcs_lite\.(\w+)", text)}
    assert {"panel", "push", "sandbox"} <= named
    assert set() == named - wxcs_lite._PUBLIC_MODULES


def test_a_parameter_that_takes_one_of_few_words_says_which() -> None:
    """A Literal is completed by editors and checked by type checkers; a str with a word as its default is neither."""
    found = [f"{name}({parameter.arg})" for name, node in _functions() for parameter in _words_as_text(node.args)]
    assert [] == found


def _words_as_text(given: ast.arguments) -> Iterator[ast.arg]:
    """Return the parameters that are a `str` and have a word as their default."""
    positional = [*given.posonlyargs, *given.args]
    with_default = positional[len(positional) - len(given.defaults) :]
    for parameter, default in zip(
        [*with_default, *given.kwonlyargs], [*given.defaults, *given.kw_defaults], strict=True
    ):
        word = isinstance(default, ast.Constant) and isinstance(default.value, str) and default.value
        if word and "str" in ast.unparse(parameter.annotation or parameter) and parameter.arg not in FREE_TEXTS:
            yield parameter


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_short(name: str) -> None:
    """Past 400 lines, docstrings not counted, it is usually two jobs; but a table of data may be longer."""
    source = MODULES[name].read_text(encoding="utf-8")
    assert name in TABLES or code_lines(source) <= 400


def code_lines(source: str) -> int:
    """Return how many lines there are without docstrings."""
    found = (node.body[0] for node in ast.walk(ast.parse(source)) if isinstance(node, DOCUMENTED) and node.body)
    docstrings = (first for first in found if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant))
    return len(source.splitlines()) - sum((doc.end_lineno or 0) - doc.lineno + 1 for doc in docstrings)


def test_lines_of_code_are_counted_without_docstrings() -> None:
    """Explanations do not count."""
    assert 2 == code_lines('"""One.\n\nTwo.\n"""\ndef f():\n    "Three."\n    return 1\n')


def _functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for name, path in MODULES.items():
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.FunctionDef):
                yield f"{name}: {node.name}", node


def test_a_function_is_short() -> None:
    """Past 40 lines, its docstring not counted, it is usually two jobs."""
    lengths = {}
    for name, node in _functions():
        first = node.body[0]
        documented = ast.get_docstring(node) is not None
        comment = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
        lengths[name] = (node.end_lineno or 0) - node.lineno + 1 - comment
    assert {} == {name: length for name, length in lengths.items() if length > 40}


def _files() -> Iterator[Path]:
    for path in sorted(PROJECT.rglob("*")):
        parts = path.relative_to(PROJECT).parts
        hidden = any(
            (part.startswith(".") and part != ".ci") or part in ("__pycache__", "build", "dist") for part in parts
        )
        if path.is_file() and not hidden:
            yield path


def test_no_file_holds_what_looks_like_a_token() -> None:
    """Made-up tokens are short on purpose: whatever is long enough to be real must not be here."""
    token = re.compile(rb"access_token=[A-Za-z0-9_-]{20,}")
    found = [path.relative_to(PROJECT).as_posix() for path in _files() if token.search(path.read_bytes())]
    assert [] == found
