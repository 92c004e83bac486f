"""Reading an operation: its variables, flags and page sizes."""

from collections.abc import Callable

from graphql import FieldNode, VariableNode, Visitor, visit

SKIP = ("skip", "include")


def has_variable(node) -> bool:
    class Finder(Visitor):
        found = False

        def enter_variable(self, *_args):
            self.found = True

    finder = Finder()
    visit(node, finder)
    return finder.found


def size_reader(node: FieldNode) -> Callable[[dict], int]:
    """Page size asked for by ``first`` or ``last``; 0 when neither is given."""
    given = [item.value for item in node.arguments if item.name.value in ("first", "last")]

    def read(variables: dict) -> int:
        for value in given:
            if isinstance(value, VariableNode):
                size = variables.get(value.name.value)
            else:
                size = getattr(value, "value", None)
            if size is not None:
                return int(size)
        return 0

    return read


def include_flags(document) -> set[str]:
    """Names of the variables that ``@include`` and ``@skip`` read."""
    names: set[str] = set()

    class Finder(Visitor):
        def enter_directive(self, node, *_args):
            if node.name.value in SKIP and isinstance(node.arguments[0].value, VariableNode):
                names.add(node.arguments[0].value.name.value)

    visit(document, Finder())
    return names
