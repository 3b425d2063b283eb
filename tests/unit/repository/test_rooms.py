"""Rooms of the library: data flow down the tree, never back up, and never in a circle."""

import ast
from collections import defaultdict
from pathlib import Path

LIBRARY = Path(__file__).parents[3] / "src/cisgrammar"
# from the top; a room imports from those below it, and from itself
ROOMS = (
    ("use",),
    ("summary",),
    ("plots",),
    ("checks",),
    ("evaluate",),
    ("interpret",),
    ("training",),
    ("models",),
    ("simulate",),
    ("data",),
    ("counts", "motifs"),
    ("cells", "genome"),
    ("downloads",),
    ("common",),
)
FLOOR = {room: len(ROOMS) - i for i, rooms in enumerate(ROOMS) for room in rooms}


def imports(path):
    """List the modules of the library that a file imports when it runs, not for types alone."""
    names = []
    todo = [ast.parse(path.read_text())]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        todo += ast.iter_child_nodes(node)
    return [name for name in names if name.startswith("cisgrammar.")]


def test_every_folder_is_a_room_with_a_sentence():
    folders = {path.name for path in LIBRARY.iterdir() if (path / "__init__.py").exists()}
    assert folders == set(FLOOR)
    for init in LIBRARY.rglob("*/__init__.py"):
        assert ast.get_docstring(ast.parse(init.read_text())), init
    assert {path.name for path in LIBRARY.glob("*.py")} == {"__init__.py"}


def test_no_room_imports_from_one_above_or_beside():
    wrong = []
    for path in LIBRARY.rglob("*.py"):
        room = path.relative_to(LIBRARY).parts[0]
        for name in imports(path) if room in FLOOR else []:
            other = name.split(".")[1]
            if other in FLOOR and other != room and FLOOR[other] >= FLOOR[room]:
                wrong.append(f"{path.relative_to(LIBRARY)} imports {name}")
    assert not sorted(set(wrong))


def test_no_modules_import_each_other_in_a_circle():
    modules = {
        ".".join(("cisgrammar", *path.relative_to(LIBRARY).with_suffix("").parts)): path
        for path in LIBRARY.rglob("*.py")
        if path.name != "__init__.py"
    }
    graph = defaultdict(set)
    for module, path in modules.items():
        graph[module] = set(imports(path)) & set(modules) - {module}
    state = {}

    def visit(module, trail):
        state[module] = "open"
        for other in sorted(graph[module]):
            assert state.get(other) != "open", " -> ".join([*trail, module, other])
            if other not in state:
                visit(other, [*trail, module])
        state[module] = "done"

    for module in sorted(modules):
        if module not in state:
            visit(module, [])
