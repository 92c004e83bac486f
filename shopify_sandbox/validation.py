"""Schema violations in Shopify's words.

graphql-core finds them; Shopify's server (graphql-ruby) reports them with other messages, codes
and paths. A message without a known translation is passed on unchanged.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    Node,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    print_ast,
    validate,
    visit,
)

from .schema import ApiSchema


def validation_errors(api: ApiSchema, document: DocumentNode) -> list[dict]:
    """Violations of the schema; empty when the document is valid."""
    errors = [
        error
        for error in validate(api.schema, document, max_errors=50)
        # Shopify lets fields of unlike types share a name in fragments on unlike objects.
        if "because they return conflicting types" not in error.message
    ]
    if not errors:
        return []
    places = _Places(api, document)
    result = []
    for error in errors:
        entry = _translated(error, places)
        if entry not in result:
            result.append(entry)
    return result


@dataclass
class _Input:
    """An argument or input field: on what it stands, and the type that is expected."""

    node: ArgumentNode | ObjectFieldNode
    kind: str
    owner: str
    expected: str
    holder: Node


class _Places:
    """Where each node stands: its path, and the argument around a value."""

    def __init__(self, api: ApiSchema, document: DocumentNode) -> None:
        self.paths: dict[int, list] = {}
        self.inputs: dict[int, _Input] = {}
        info = TypeInfo(api.schema)
        places = self

        class Walker(Visitor):
            def __init__(self) -> None:
                super().__init__()
                self.trail: list = []
                self.around: list[_Input] = []
                self.holders: list[Node] = []

            def enter(self, node, *_args):
                label = _label(node)
                if label:
                    self.trail.append(label)
                if isinstance(node, (FieldNode, DirectiveNode, ObjectValueNode)):
                    self.holders.append(node)
                if isinstance(node, ArgumentNode):
                    kind = "Directive" if info.get_directive() else "Field"
                    name = self.holders[-1].name.value
                    self._enter_input(node, kind, name)
                elif isinstance(node, ObjectFieldNode):
                    parent = info.get_parent_input_type()
                    self._enter_input(node, "InputObject", getattr(parent, "name", "?"))
                places.paths[id(node)] = list(self.trail)
                if self.around:
                    places.inputs[id(node)] = self.around[-1]

            def leave(self, node, *_args):
                if _label(node):
                    self.trail.pop()
                if isinstance(node, (FieldNode, DirectiveNode, ObjectValueNode)):
                    self.holders.pop()
                if isinstance(node, (ArgumentNode, ObjectFieldNode)):
                    self.around.pop()

            def _enter_input(self, node, kind: str, name: str) -> None:
                expected = str(info.get_input_type())
                self.around.append(_Input(node, kind, name, expected, self.holders[-1]))

        visit(document, TypeInfoVisitor(info, Walker()))


def _label(node: Node) -> str | None:
    if isinstance(node, OperationDefinitionNode):
        kind = node.operation.value
        return f"{kind} {node.name.value}" if node.name else kind
    if isinstance(node, FragmentDefinitionNode):
        return f"fragment {node.name.value}"
    if isinstance(node, FieldNode):
        return node.alias.value if node.alias else node.name.value
    if isinstance(node, (ArgumentNode, ObjectFieldNode)):
        return node.name.value
    return None


Translation = Callable[[re.Match, GraphQLError, _Places], tuple[str, dict]]
TRANSLATIONS: list[tuple[re.Pattern, Translation]] = []


def _translates(pattern: str):
    def register(function: Translation) -> Translation:
        TRANSLATIONS.append((re.compile(pattern, re.DOTALL), function))
        return function

    return register


def _translated(error: GraphQLError, places: _Places) -> dict:
    node = error.nodes[0] if error.nodes else None
    message, extensions = error.message, {"code": "graphqlError"}
    for pattern, translation in TRANSLATIONS:
        match = pattern.match(error.message)
        if match:
            message, extensions = translation(match, error, places)
            break
    entry = {"message": message}
    place = node
    if extensions["code"] == "argumentLiteralsIncompatible" and id(node) in places.inputs:
        place = places.inputs[id(node)].holder
    if place is not None and place.loc:
        token = place.loc.start_token
        entry["locations"] = [{"line": token.line, "column": token.column}]
    if node is not None:
        entry["path"] = places.paths.get(id(node), [])
        if extensions["code"] == "missingRequiredInputObjectAttribute":
            entry["path"] = [*entry["path"], extensions["argumentName"]]
    entry["extensions"] = extensions
    return entry


@_translates(r"Cannot query field '(\w+)' on type '(\w+)'")
def _unknown_field(match, _error, _places):
    name, type_name = match.groups()
    message = f"Field '{name}' doesn't exist on type '{type_name}'"
    return message, {"code": "undefinedField", "typeName": type_name, "fieldName": name}


@_translates(r"Unknown argument '(\w+)' on field '\w+\.(\w+)'")
def _unknown_argument(match, _error, _places):
    argument, name = match.groups()
    message = f"Field '{name}' doesn't accept argument '{argument}'"
    return message, {
        "code": "argumentNotAccepted",
        "name": name,
        "typeName": "Field",
        "argumentName": argument,
    }


@_translates(r"Field '(\w+)' argument '(\w+)' of type .* is required")
def _missing_argument(match, _error, _places):
    return _missing("Field", *match.groups())


@_translates(r"Directive '@(\w+)' argument '(\w+)' of type .* is required")
def _missing_directive_argument(match, _error, _places):
    return _missing("Directive", *match.groups())


def _missing(kind: str, name: str, argument: str):
    message = f"{kind} '{name}' is missing required arguments: {argument}"
    return message, {
        "code": "missingRequiredArguments",
        "className": kind,
        "name": name,
        "arguments": argument,
    }


@_translates(r"Unknown directive '@(\w+)'")
def _unknown_directive(match, _error, _places):
    name = match[1]
    return f"Directive @{name} is not defined", {
        "code": "undefinedDirective",
        "directiveName": name,
    }


@_translates(r"Directive '@(\w+)' may not be used on (\w+)")
def _misplaced_directive(match, _error, _places):
    name, place = match.groups()
    places = {"MUTATION": "mutations", "QUERY": "queries"}
    where = places.get(place, place.lower().replace("_", " ") + "s")
    return f"'@{name}' can't be applied to {where} (allowed: fields)", {
        "code": "directiveCannotBeApplied",
        "targetName": where,
        "name": name,
    }


@_translates(r"Variable '\$(\w+)' is never used(?: in operation '(\w+)')?")
def _unused_variable(match, _error, _places):
    name, operation = match.groups()
    message = f"Variable ${name} is declared by {operation or 'anonymous query'} but not used"
    return message, {"code": "variableNotUsed", "variableName": name}


@_translates(r"Variable '\$(\w+)' is not defined(?: by operation '(\w+)')?")
def _undefined_variable(match, _error, _places):
    name, operation = match.groups()
    message = f"Variable ${name} is used by {operation or 'anonymous query'} but not declared"
    return message, {"code": "variableNotDefined", "variableName": name}


@_translates(r"Variable '\$(\w+)' of type '(.+)' used in position expecting type '(.+)'")
def _mismatched_variable(match, error, places):
    name, given, expected = match.groups()
    found = places.inputs.get(id(error.nodes[-1]))
    argument = found.node.name.value if found else "?"
    message = f"Type mismatch on variable ${name} and argument {argument} ({given} / {expected})"
    return message, {
        "code": "variableMismatch",
        "variableName": name,
        "typeName": given,
        "argumentName": argument,
        "errorMessage": "Type mismatch",
    }


@_translates(r"Field '(\w+)' of type '(.+)' must have a selection of subfields")
def _missing_selection(match, _error, _places):
    name, type_name = match.groups()
    type_name = type_name.strip("[]!")
    message = (
        f"Field must have selections (field '{name}' returns {type_name} but has no selections. "
        f"Did you mean '{name} {{ ... }}'?)"
    )
    return message, {
        "code": "selectionMismatch",
        "nodeName": f"field '{name}'",
        "typeName": type_name,
    }


@_translates(r"Field '(\w+)' must not have a selection since type '(.+)' has no subfields")
def _superfluous_selection(match, error, _places):
    name, type_name = match.groups()
    type_name = type_name.strip("[]!")
    selected = ", ".join(print_ast(item).split()[0] for item in error.nodes[0].selections)
    message = (
        f"Selections can't be made on scalars (field '{name}' returns {type_name} but has "
        f'selections ["{selected}"])'
    )
    return message, {
        "code": "selectionMismatch",
        "nodeName": f"field '{name}'",
        "typeName": type_name,
    }


@_translates(r"Field '(\w+)' is not defined by type '(\w+)'")
def _unknown_input_field(match, _error, _places):
    name, type_name = match.groups()
    message = f"InputObject '{type_name}' doesn't accept argument '{name}'"
    return message, {
        "code": "argumentNotAccepted",
        "name": type_name,
        "typeName": "InputObject",
        "argumentName": name,
    }


@_translates(r"Field '(\w+)\.(\w+)' of required type '(.+)' was not provided")
def _missing_input_field(match, _error, _places):
    type_name, name, expected = match.groups()
    message = (
        f"Argument '{name}' on InputObject '{type_name}' is required. Expected type {expected}"
    )
    return message, {
        "code": "missingRequiredInputObjectAttribute",
        "argumentName": name,
        "argumentType": expected,
        "inputObjectType": type_name,
    }


@_translates(r"Value '?(?P<value>.+?)'? does not exist in '(?P<type>\w+)' enum")
@_translates(r"Expected value of type '(?P<type>.+)', found (?P<value>.+?)\.?$")
@_translates(r"Enum '(?P<type>\w+)' cannot represent non-enum value: (?P<value>.+?)\.")
@_translates(r"(?P<type>\w+) cannot represent .+ value: (?P<value>.+)")
def _invalid_literal(match, error, places):
    value = match["value"]
    found = places.inputs.get(id(error.nodes[0]))
    if found is None:
        return error.message, {"code": "argumentLiteralsIncompatible"}
    name = found.node.name.value
    owner = f"{found.kind} '{found.owner}'"
    message = (
        f"Argument '{name}' on {owner} has an invalid value ({value}). "
        f"Expected type '{found.expected}'."
    )
    return message, {
        "code": "argumentLiteralsIncompatible",
        "typeName": found.kind,
        "argumentName": name,
    }


@_translates(r"Unknown fragment '(\w+)'")
def _unknown_fragment(match, _error, _places):
    return f"Fragment {match[1]} was used, but not defined", {
        "code": "useAndDefineFragment",
        "fragmentName": match[1],
    }


@_translates(r"Fragment '(\w+)' is never used")
def _unused_fragment(match, _error, _places):
    return f"Fragment {match[1]} was defined, but not used", {
        "code": "useAndDefineFragment",
        "fragmentName": match[1],
    }


@_translates(r"Unknown type '(\w+)'")
def _unknown_type(match, _error, _places):
    return f"{match[1]} isn't a defined input type", {
        "code": "variableRequiresValidType",
        "typeName": match[1],
    }
