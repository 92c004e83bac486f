"""A handler whose answers a test decides; what it is given comes from the sandbox."""

from unittest.mock import patch

from odoo.addons.shopify_connector.services.outcome import Outcome


class Handler:
    """Stands in for the processing of orders: notes each batch and makes bindings.

    :ivar calls: the gids of each call, in order
    :ivar contexts: the context of each call
    :ivar answers: ``{gid: Outcome, exception, or function(backend, node)}`` for those that
        are not simply to be created
    """

    def __init__(self):
        self.calls = []
        self.contexts = []
        self.answers = {}

    def process(self, model, backend, nodes, context):
        self.calls.append(list(nodes))
        self.contexts.append(context)
        outcomes = {}
        for gid, node in nodes.items():
            answer = self.answers.get(gid)
            if callable(answer) and not isinstance(answer, type):
                answer = answer(backend, node)
            if isinstance(answer, Exception):
                raise answer
            outcomes[gid] = answer or self.bind(backend, gid, node)
        return outcomes

    def bind(self, backend, gid, node):
        Binding = backend.env["shopify.order"].sudo()
        binding = Binding.search([("backend_id", "=", backend.id), ("shopify_gid", "=", gid)])
        if binding:
            return Outcome("updated", record=binding)
        name = node["name"] if node else "gone"
        binding = Binding.create({"backend_id": backend.id, "shopify_gid": gid, "name": name})
        return Outcome("created", record=binding)

    def patch(self, env):
        handler = self

        def _process(self, backend, nodes, context):
            return handler.process(self, backend, nodes, context)

        return patch.object(env.registry["shopify.order.importer"], "_process", _process)
