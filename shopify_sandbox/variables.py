"""Coercion of variables, and what Shopify says when one does not fit."""

from graphql import (
    GraphQLError,
    OperationDefinitionNode,
    Undefined,
    coerce_input_value,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_input_object_type,
    is_input_type,
    is_list_type,
    is_non_null_type,
    print_ast,
    type_from_ast,
)
from graphql.utilities import value_from_ast

from .schema import ApiSchema


def coerce_variables(
    api: ApiSchema, operation: OperationDefinitionNode, given: dict
) -> tuple[dict, list[dict]]:
    """Values of the operation's variables, or the errors in Shopify's shape."""
    values, errors = {}, []
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        gql_type = type_from_ast(api.schema, definition.type)
        if not is_input_type(gql_type):
            continue
        if name not in given:
            if definition.default_value is not None:
                values[name] = value_from_ast(definition.default_value, gql_type)
                continue
            if not is_non_null_type(gql_type):
                continue
        value = given.get(name)
        problems = list(_problems(gql_type, value, []))
        if problems:
            errors.append(_error(definition, name, value, problems))
            continue
        try:
            values[name] = coerce_input_value(value, gql_type)
        except GraphQLError as error:
            problem = {"path": [], "explanation": error.message}
            errors.append(_error(definition, name, value, [problem]))
    return values, errors


def _error(definition, name: str, value, problems: list[dict]) -> dict:
    token = definition.loc.start_token
    message = f"Variable ${name} of type {print_ast(definition.type)} was provided invalid value"
    details = ", ".join(
        f"{'.'.join(map(str, problem['path']))} ({problem['explanation']})"
        for problem in problems
        if problem["path"]
    )
    if details:
        message += f" for {details}"
    return {
        "message": message,
        "locations": [{"line": token.line, "column": token.column}],
        "extensions": {"code": "INVALID_VARIABLE", "value": value, "problems": problems},
    }


def _problems(gql_type, value, path: list):
    """Everything that keeps a value from being of a type, as ``{path, explanation}``."""
    if value is None:
        if is_non_null_type(gql_type):
            yield {"path": path, "explanation": "Expected value to not be null"}
        return
    gql_type = get_nullable_type(gql_type)
    if is_list_type(gql_type):
        for index, item in enumerate(value if isinstance(value, list) else [value]):
            yield from _problems(
                gql_type.of_type, item, [*path, index] if isinstance(value, list) else path
            )
    elif is_input_object_type(gql_type):
        yield from _object_problems(gql_type, value, path)
    elif is_enum_type(gql_type):
        if value not in gql_type.values:
            known = ", ".join(gql_type.values)
            yield {"path": path, "explanation": f'Expected "{value}" to be one of: {known}'}
    else:
        yield from _scalar_problems(gql_type, value, path)


def _object_problems(gql_type, value, path: list):
    if not isinstance(value, dict):
        yield {"path": path, "explanation": f'Expected "{value}" to be a key-value object.'}
        return
    for name in value:
        if name not in gql_type.fields:
            explanation = f"Field is not defined on {gql_type.name}"
            yield {"path": [*path, name], "explanation": explanation}
    for name, field in gql_type.fields.items():
        if name in value:
            yield from _problems(field.type, value[name], [*path, name])
        elif is_non_null_type(field.type) and field.default_value is Undefined:
            yield {"path": [*path, name], "explanation": "Expected value to not be null"}


def _scalar_problems(gql_type, value, path: list):
    try:
        get_named_type(gql_type).parse_value(value)
    except GraphQLError as error:
        explanation = error.message
        if explanation.startswith(("String ", "Int ", "Float ", "Boolean ")):
            explanation = f"Could not coerce value {value!r} to {gql_type.name}"
        yield {"path": path, "explanation": explanation}
