"""From a request body to an answer: parse, validate, price, execute; what can be is kept."""

import threading
from dataclasses import dataclass

from graphql import (
    FragmentDefinitionNode,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    parse,
)

from . import bulk, resolvers, schema
from .context import Context, NullHere
from .cost import SINGLE_QUERY_MAX, too_expensive
from .plan import Compiler, Plan
from .scopes import AccessRules
from .selection import include_flags
from .shop import Shop
from .validation import validation_errors
from .variables import coerce_variables

CACHE_SIZE = 2000
THROTTLED = {
    "message": "Throttled",
    "extensions": {
        "code": "THROTTLED",
        "documentation": "https://shopify.dev/api/usage/rate-limits",
    },
}


@dataclass
class Prepared:
    """A parsed and validated document."""

    errors: list[dict]
    operations: dict[str, OperationDefinitionNode]
    fragments: dict[str, FragmentDefinitionNode]
    flags: set[str]


@dataclass
class Outcome:
    """Answer of one request, and what the log tells about it.

    ``write_done`` is True when a mutation may have changed the store.
    """

    body: dict
    operation: str = ""
    root_fields: list[str] | None = None
    requested: int = 0
    actual: int | None = None
    write_done: bool = False


class Engine:
    """Executes requests on one API version, for any shop."""

    def __init__(self, version: str) -> None:
        self.api = schema.load(version)
        self._documents: dict[str, Prepared] = {}
        self._plans: dict[tuple, Plan] = {}
        self._lock = threading.Lock()

    def names(self, body: dict) -> list[str]:
        """Operation name and root fields of a request, for the faults and the log."""
        prepared = self._prepare(str(body.get("query") or ""))
        operation = self._operation(prepared, body.get("operationName"))
        if not isinstance(operation, OperationDefinitionNode):
            return []
        roots = [
            node.name.value for node in operation.selection_set.selections if hasattr(node, "name")
        ]
        return [operation.name.value if operation.name else "", *roots]

    def execute(self, shop: Shop, body: dict, throttled: bool = False) -> Outcome:
        """Answer one request.

        :param throttled: answer THROTTLED whatever the bucket holds
        """
        prepared = self._prepare(str(body.get("query") or ""))
        if prepared.errors:
            return Outcome({"errors": prepared.errors})
        operation = self._operation(prepared, body.get("operationName"))
        if isinstance(operation, str):
            return Outcome({"errors": [{"message": operation}]})
        variables, errors = coerce_variables(self.api, operation, body.get("variables") or {})
        if errors:
            return Outcome({"errors": errors}, operation.name.value if operation.name else "")
        return self._run(shop, prepared, operation, variables, throttled)

    def _prepare(self, text: str) -> Prepared:
        found = self._documents.get(text)
        if found is None:
            found = self._parse(text)
            with self._lock:
                if len(self._documents) >= CACHE_SIZE:
                    self._documents.clear()
                    self._plans.clear()
                self._documents[text] = found
        return found

    def _parse(self, text: str) -> Prepared:
        try:
            document = parse(text)
        except GraphQLSyntaxError as error:
            place = error.locations[0]
            message = f"syntax error: {error.message.removeprefix('Syntax Error: ')}"
            location = {"line": place.line, "column": place.column}
            return Prepared([{"message": message, "locations": [location]}], {}, {}, set())
        operations, fragments = {}, {}
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                operations[definition.name.value if definition.name else ""] = definition
            elif isinstance(definition, FragmentDefinitionNode):
                fragments[definition.name.value] = definition
        errors = validation_errors(self.api, document)
        return Prepared(errors, operations, fragments, include_flags(document))

    @staticmethod
    def _operation(prepared: Prepared, name: str | None) -> OperationDefinitionNode | str:
        """The operation to run, or why there is none."""
        if name:
            return prepared.operations.get(name) or f'No operation named "{name}"'
        if len(prepared.operations) != 1:
            return "An operation name is required"
        return next(iter(prepared.operations.values()))

    def _plan(self, shop: Shop, prepared: Prepared, operation, variables: dict) -> Plan:
        flags = {name: bool(variables.get(name)) for name in prepared.flags}
        scopes, withheld = shop.scopes, shop.settings.protected_data_withheld
        key = (id(operation), scopes, withheld, tuple(sorted(flags.items())))
        plan = self._plans.get(key)
        if plan is None:
            plan = self.compile(shop, operation, prepared.fragments, flags)
            self._plans[key] = plan
        return plan

    def compile(self, shop: Shop, operation, fragments: dict, flags: dict | None = None) -> Plan:
        """A plan for a validated operation, with what this shop grants."""
        rules = AccessRules(self.api, shop.scopes, shop.settings.protected_data_withheld)
        compiler = Compiler(self.api, fragments, rules, flags or {}, resolvers.RESOLVERS)
        return compiler.compile(operation)

    def _run(self, shop: Shop, prepared, operation, variables: dict, throttled: bool) -> Outcome:
        plan = self._plan(shop, prepared, operation, variables)
        requested = plan.requested_cost(variables)
        outcome = Outcome(
            {}, operation.name.value if operation.name else "", plan.root_fields, requested
        )
        if requested > SINGLE_QUERY_MAX:
            error = too_expensive(requested)
            outcome.body = {"errors": [{"message": error.message, "extensions": error.extensions}]}
            return outcome
        if throttled or not shop.bucket.take(requested):
            outcome.body = {"errors": [THROTTLED], "extensions": _cost(shop, requested, None)}
            return outcome
        self._execute(shop, plan, operation, variables, outcome)
        return outcome

    def _execute(self, shop: Shop, plan: Plan, operation, variables: dict, outcome: Outcome):
        context = Context(shop, self.api, variables)
        mutates = operation.operation.value == "mutation"
        try:
            if mutates:
                with shop.store.lock:
                    data = plan.run({}, context)
            else:
                data = plan.run({}, context)
        except NullHere:
            data = None
        outcome.write_done = mutates
        outcome.actual = plan.actual_cost(context.seen)
        shop.bucket.give_back(outcome.requested - outcome.actual)
        body = {"data": data}
        if context.errors:
            body["errors"] = context.errors
        extensions = _cost(shop, outcome.requested, outcome.actual)
        if context.warnings:
            extensions["search"] = context.warnings
        outcome.body = {**body, "extensions": extensions}
        if context.changes:
            shop.tell(context.changes)
        for gid in context.bulk_operations:
            bulk.start(self, shop, gid)


def _cost(shop: Shop, requested: int, actual: int | None) -> dict:
    return {
        "cost": {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": shop.bucket.status(),
        }
    }
