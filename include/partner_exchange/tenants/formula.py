"""Formulas of Calculated statuses: ``st(12238,0)`` is a status by number with its initial value.

``+ - * /``, parentheses and plain numbers, nothing else; parsed once, evaluated over whole columns. Called by
the model of status types and by the status store.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_LONGEST = 2_000


@dataclass(frozen=True)
class Formula:
    """A parsed formula."""

    text: str
    parts: dict[int, float]
    """Initial value by the number of each status type that it takes."""
    _tree: ast.expr

    @classmethod
    def parse(cls, text: str) -> Formula:
        """Return the formula.

        :raises ValueError: it is not one; says what is wrong with it.
        """
        if len(text) > _LONGEST:
            raise ValueError(f"a formula has {_LONGEST} characters at the most")
        try:
            tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, RecursionError, MemoryError) as error:
            raise ValueError(f"not a formula: {text!r}") from error
        parts: dict[int, float] = {}
        _check(tree, parts)
        if not parts:
            raise ValueError("a formula takes at least one status, such as st(12001,0)")
        return cls(text, parts, tree)

    def evaluate(self, values: dict[int, Any]) -> Any:
        """Return the result for numbers or arrays of numbers by status type; all parts must be there.

        A division by zero gives what the arrays' library gives; the caller decides what that means.
        """
        return _evaluate(self._tree, values)


def _check(node: ast.expr, parts: dict[int, float]) -> None:
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        _check(node.left, parts)
        _check(node.right, parts)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        _check(node.operand, parts)
    elif _is_number(node):
        return
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "st":
        number, initial = _arguments(node)
        if parts.setdefault(number, initial) != initial:
            raise ValueError(f"st({number}, ...) has two initial values")
    else:
        raise ValueError("a formula holds numbers, st(number, initial value), + - * / and parentheses only")


def _arguments(node: ast.Call) -> tuple[int, float]:
    plain = [argument.value for argument in node.args if _is_number(argument)]  # type: ignore[attr-defined]
    if len(plain) != 2 or len(node.args) != 2 or node.keywords or not isinstance(plain[0], int):
        raise ValueError("write a status as st(number, initial value), such as st(12001,0)")
    return plain[0], float(plain[1])


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def _evaluate(node: ast.expr, values: dict[int, Any]) -> Any:
    if isinstance(node, ast.BinOp):
        return _BINARY[type(node.op)](_evaluate(node.left, values), _evaluate(node.right, values))
    if isinstance(node, ast.UnaryOp):
        return -_evaluate(node.operand, values)
    if isinstance(node, ast.Call):
        return values[_arguments(node)[0]]
    return node.value  # type: ignore[attr-defined]
