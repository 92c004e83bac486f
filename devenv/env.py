"""``make env``: the environment with the template database of the addon's dependencies."""

from . import database, postgres
from .console import say


def main(_arguments):
    postgres.start()
    name = database.dependencies_template()
    say(f"ready: the template database {name} holds {', '.join(database.dependencies())}")
