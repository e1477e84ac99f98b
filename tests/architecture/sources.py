"""Reads the project's own Python as syntax trees: which module imports what, which functions there are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.places import ROOT

PACKAGE = "cds_service"


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file of the package."""

    path: Path
    tree: ast.Module

    @property
    def place(self) -> str:
        """The path from the top of the checkout, as the messages give it."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def layer(self) -> str:
        """The folder or file right under the package: web, clinical, app, …"""
        return self.path.relative_to(ROOT / PACKAGE).parts[0].removesuffix(".py")


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, by its full dotted name, and where that is written."""

    module: Module
    name: str
    line: int
    at_top: bool

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.module.place}:{self.line}"

    def is_of(self, *packages: str) -> bool:
        """Whether this imports one of the packages or something inside it."""
        return any(self.name == package or self.name.startswith(f"{package}.") for package in packages)


@cache
def package_modules() -> tuple[Module, ...]:
    """Every module of the package."""
    paths = sorted((ROOT / PACKAGE).rglob("*.py"))
    return tuple(Module(path, ast.parse(path.read_text("utf-8"), filename=str(path))) for path in paths)


@cache
def package_imports() -> tuple[Import, ...]:
    """Every import of the package, those inside functions included."""
    return tuple(each for module in package_modules() for each in _imports_of(module))


def _imports_of(module: Module) -> Iterator[Import]:
    top = set(map(id, module.tree.body))
    for node in ast.walk(module.tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for name in _imported_names(node):
                yield Import(module, name, node.lineno, id(node) in top)


def _imported_names(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    source = "." * node.level + (node.module or "")
    for alias in node.names:
        full = f"{source}.{alias.name}"
        yield full if _is_module(full) else source


def _is_module(name: str) -> bool:
    """Whether `from a import b` means a module b; outside the package that is not known, and b counts as part of a."""
    place = ROOT.joinpath(*name.split("."))
    if name.startswith(f"{PACKAGE}."):
        return place.with_suffix(".py").is_file() or place.is_dir()
    return name.startswith("fhir.resources.")


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module, inner ones included."""
    for node in ast.walk(module.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node
