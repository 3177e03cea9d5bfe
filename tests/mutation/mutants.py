"""Small faults to put into a Python module, one at a time: what a slip of the hand or of the mind would leave behind.

Pure: source text in, changed source texts out. Every fault is a replacement of one span of the source, so that it can
be read as a line. Left alone: docstrings, annotations, imports, decorators, and prose (a literal with a space in it is
a message;
tests hold messages by their requirement's number, not by their words).
"""

import ast
from dataclasses import dataclass
from typing import Final

_COMPARISONS: Final = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
}
_OPERATORS: Final = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.FloorDiv: ("//", "*"),
    ast.BitOr: ("|", "&"),
    ast.BitAnd: ("&", "|"),
}
_TWINS: Final = {"any": "all", "all": "any", "min": "max", "max": "min"}


@dataclass(frozen=True)
class Mutant:
    """One fault: the span that it replaces (character offsets), and what stands there instead."""

    line: int
    start: int
    end: int
    before: str
    after: str

    def applied(self, source: str) -> str:
        """Give the module with this fault in it."""
        return f"{source[: self.start]}{self.after}{source[self.end :]}"

    def __str__(self) -> str:
        return f"{self.line}: {_short(self.before)} -> {_short(self.after)}"


def mutants_of(source: str) -> tuple[Mutant, ...]:
    """Give every fault for one module, in the order of its lines; none that would not compile."""
    finder = _Finder(source)
    finder.visit(ast.parse(source))
    return tuple(one for one in sorted(set(finder.found), key=_place) if _compiles(one.applied(source)))


def _place(mutant: Mutant) -> tuple[int, int, str]:
    return (mutant.start, mutant.end, mutant.after)


def _compiles(text: str) -> bool:
    try:
        compile(text, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _short(text: str) -> str:
    return " ".join(text.split())


class _Finder(ast.NodeVisitor):
    """Walks a module and notes what can be changed where."""

    def __init__(self, source: str) -> None:
        self.found: list[Mutant] = []
        self._source = source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._lines = source.splitlines(keepends=True)

    def _offset(self, line: int, column: int) -> int:
        """Give the character offset of a place that `ast` counts in bytes of UTF-8."""
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno, node.end_col_offset)

    def _text(self, node: ast.expr | ast.stmt) -> str:
        start, end = self._span(node)
        return self._source[start:end]

    def _replace(self, node: ast.expr | ast.stmt, after: str) -> None:
        start, end = self._span(node)
        self.found.append(Mutant(node.lineno, start, end, self._source[start:end], after))

    def _swap_between(self, left: ast.expr, right: ast.expr, words: tuple[str, str]) -> None:
        """Replace the operator that stands between two expressions."""
        start, end = self._span(left)[1], self._span(right)[0]
        between = self._source[start:end]
        if words[0] in between:
            at = start + between.index(words[0])
            self.found.append(Mutant(left.end_lineno or left.lineno, at, at + len(words[0]), *words))

    def visit_Compare(self, node: ast.Compare) -> None:
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            self._swap_between(left, right, _COMPARISONS[type(operator)])
            left = right
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        words = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._swap_between(left, right, words)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if type(node.op) in _OPERATORS and not self._is_text(node.left):
            self._swap_between(node.left, node.right, _OPERATORS[type(node.op)])
        self.generic_visit(node)

    def _is_text(self, node: ast.expr) -> bool:
        return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self._replace(node, f"({self._text(node.operand)})")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool):
            self._replace(node, str(not value))
        elif isinstance(value, int):
            self._replace(node, str(value + 1))
        elif isinstance(value, str) and value and " " not in value and "\n" not in value:
            self._replace(node, repr(f"XX{value}"))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Leave text with values in it alone, and look at the values."""
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in _TWINS and isinstance(node.ctx, ast.Load):
            self._replace(node, _TWINS[node.id])

    def visit_If(self, node: ast.If) -> None:
        if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            self._replace(node.test, f"not ({self._text(node.test)})")
            self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._replace(node.test, f"not ({self._text(node.test)})")
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for condition in node.ifs:
            self._replace(condition, "True")
        self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None and not isinstance(node.value, ast.Constant):
            self._replace(node.value, "None")
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        self._replace(node, "pass")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):
            return
        self._replace(node, "pass")
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._replace(node, "pass")
        self.generic_visit(node)

    def visit_Break(self, node: ast.Break) -> None:
        self._replace(node, "continue")

    def visit_Continue(self, node: ast.Continue) -> None:
        self._replace(node, "break")

    def visit_Assign(self, node: ast.Assign) -> None:
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets):
            return
        if not isinstance(node.value, ast.Constant):
            self._replace(node.value, "None")
        self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_arg(self, node: ast.arg) -> None:
        """Leave annotations alone."""

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Leave decorators and bases alone: that a value is frozen is held by the type checker."""
        for statement in node.body:
            self.visit(statement)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_function(node)

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for default in (*node.args.defaults, *(one for one in node.args.kw_defaults if one)):
            self.visit(default)
        for statement in node.body:
            self.visit(statement)

    def visit_Import(self, node: ast.Import) -> None:
        """Leave imports alone."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Leave imports alone."""
