"""Formulas of Calculated statuses: ``st(12238,0)`` is a status by number with its initial value.

``+ - * /``, parentheses and plain numbers, nothing else; parsed once, evaluated over whole columns. Called by
the model of status types and by the status store.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_LONGEST = 2_000
# A sum of n parts nests n deep. The text may come from anywhere, and Python's own stack must not end it.
_DEEPEST = 250
# Python would also read 0x10, 1_000, 1e5 and names; none of them is a plain number.
_CHARACTERS = re.compile(r"[0-9st.,+*/()\s-]*")
_LARGEST = 1e15
_GRAMMAR = "a formula holds numbers, st(number, initial value), + - * / and parentheses only"


@dataclass(frozen=True)
class Formula:
    """A parsed formula."""

    text: str
    parts: Mapping[int, float] = field(compare=False)
    """Initial value by the number of each status type that it takes."""
    _tree: ast.expr = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Formula:
        """Return the formula.

        :raises ValueError: it is not one; says what is wrong with it.
        """
        if len(text) > _LONGEST:
            raise ValueError(f"a formula has {_LONGEST} characters at the most")
        if not _CHARACTERS.fullmatch(text):
            raise ValueError(_GRAMMAR)
        try:
            # YAML may fold a long formula over lines, which Python takes inside parentheses only.
            tree = ast.parse(" ".join(text.split()), mode="eval").body
        except SyntaxError as error:
            raise ValueError(f"cannot be read from character {error.offset or 1} on") from error
        except (RecursionError, MemoryError) as error:
            raise ValueError("it nests too deeply") from error
        parts: dict[int, float] = {}
        _check(tree, parts, 0)
        if not parts:
            raise ValueError("a formula takes at least one status, such as st(12001,0)")
        return cls(text, parts, tree)

    def evaluate(self, values: Mapping[int, Any]) -> Any:
        """Return the result for numbers or arrays of numbers by status type; all parts must be there.

        A division by zero does what the values' type does, which an exception is for plain numbers and an
        infinity for arrays; the caller decides what that means.

        :raises KeyError: a part is missing.
        """
        return _evaluate(self._tree, values)


def _check(node: ast.expr, parts: dict[int, float], depth: int) -> None:
    """Accept the node and note the statuses in it.

    :raises ValueError: something else than the grammar stands in it.
    """
    if depth > _DEEPEST:
        raise ValueError(f"it nests too deeply; {_DEEPEST} operations one inside the other are the most")
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        _check(node.left, parts, depth + 1)
        _check(node.right, parts, depth + 1)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        _check(node.operand, parts, depth + 1)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "st":
        number, initial = _arguments(node)
        if parts.setdefault(number, initial) != initial:
            raise ValueError(f"st({number}, ...) has two initial values")
    elif _is_number(node):
        if node.value > _LARGEST:  # type: ignore[attr-defined]
            raise ValueError("a number in it is too large")
    else:
        raise ValueError(_GRAMMAR)


def _arguments(node: ast.Call) -> tuple[int, float]:
    plain = [argument.value for argument in node.args if _is_number(argument)]  # type: ignore[attr-defined]
    if len(plain) != 2 or len(node.args) != 2 or not isinstance(plain[0], int) or plain[1] > _LARGEST:
        raise ValueError("write a status as st(number, initial value), such as st(12001,0)")
    return plain[0], float(plain[1])


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def _evaluate(node: ast.expr, values: Mapping[int, Any]) -> Any:
    if isinstance(node, ast.BinOp):
        return _BINARY[type(node.op)](_evaluate(node.left, values), _evaluate(node.right, values))
    if isinstance(node, ast.UnaryOp):
        return -_evaluate(node.operand, values)
    if isinstance(node, ast.Call):
        return values[_arguments(node)[0]]
    return float(node.value)  # type: ignore[attr-defined]
