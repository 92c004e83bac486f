"""The ``query:`` language: ``field:value``, comparators, AND, OR, NOT, -, quotes, parentheses."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation

Test = Callable[[dict], bool]
TOKEN = re.compile(
    r"""\s*(?:
        (?P<open>\() | (?P<close>\))
      | (?P<field>-?[A-Za-z_][\w.]*):\s*(?P<operator><=|>=|<|>|!=)?\s*
        (?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?:\\.|[^\s()])+|(?=\())
      | (?P<term>-?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?:\\.|[^\s()])+))
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Filter:
    """How a filter reads an object.

    :param kind: ``string`` (equal, case-insensitive, ``*`` at the end), ``time``, ``id``,
        ``number``, ``boolean``, ``words`` (contains) or ``not_in`` (none equals)
    :param read: object -> value or list of values
    """

    kind: str
    read: Callable[[dict], object]


@dataclass
class Parsed:
    """A compiled search; ``warnings`` name what Shopify ignores as well."""

    matches: Test
    warnings: list[dict]


def compile_search(query: str | None, filters: dict[str, Filter]) -> Parsed:
    """Compile a search. Unknown fields are ignored with a warning, as Shopify does."""
    if not query or not query.strip():
        return Parsed(lambda _record: True, [])
    parser = _Parser(_tokens(query), filters)
    test = parser.either()
    return Parsed(test or (lambda _record: True), parser.warnings)


def _tokens(query: str) -> list[dict]:
    found = []
    position = 0
    while position < len(query.rstrip()):
        match = TOKEN.match(query, position)
        if match is None:
            break
        found.append(match.groupdict())
        position = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[dict], filters: dict[str, Filter]) -> None:
        self.tokens, self.filters = tokens, filters
        self.position = 0
        self.warnings: list[dict] = []

    def _peek(self) -> dict | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def _keyword(self, word: str) -> bool:
        token = self._peek()
        if token and token["term"] == word:
            self.position += 1
            return True
        return False

    def either(self) -> Test | None:
        tests = [self.both()]
        while self._keyword("OR"):
            tests.append(self.both())
        tests = [test for test in tests if test]
        if len(tests) < 2:
            return tests[0] if tests else None
        return lambda record: any(test(record) for test in tests)

    def both(self) -> Test | None:
        tests = []
        while (token := self._peek()) is not None:
            if token["close"] or token["term"] == "OR":
                break
            if self._keyword("AND"):
                continue
            tests.append(self.single())
        tests = [test for test in tests if test]
        if len(tests) < 2:
            return tests[0] if tests else None
        return lambda record: all(test(record) for test in tests)

    def single(self) -> Test | None:
        if self._keyword("NOT"):
            return _negated(self.single())
        token = self._peek()
        if token is None:
            return None
        self.position += 1
        if token["open"]:
            test = self.either()
            if (closing := self._peek()) and closing["close"]:
                self.position += 1
            return test
        if token["field"]:
            return self._filter(token)
        return self._term(token["term"])

    def _filter(self, token: dict) -> Test | None:
        name, negative = token["field"].lstrip("-"), token["field"].startswith("-")
        values = self._values(token)
        known = self.filters.get(name)
        if known is None:
            self.warnings.append(
                {
                    "field": name,
                    "message": "Invalid search field for this query.",
                    "code": "invalid_field",
                }
            )
            return None
        tests = [_comparison(known, token["operator"] or "=", value) for value in values]

        def test(record: dict) -> bool:
            return any(single(record) for single in tests)

        return _negated(test) if negative else test

    def _values(self, token: dict) -> list[str]:
        if token["value"]:
            value = token["value"]
            if value[0] in "\"'":
                return [_unquoted(value)]
            return [_unquoted(part) for part in value.split(",") if part]
        # field:(a OR b)
        values = []
        self.position += 1
        while (inner := self._peek()) is not None:
            self.position += 1
            if inner["close"]:
                break
            if inner["term"] and inner["term"] != "OR":
                values.append(_unquoted(inner["term"]))
        return values

    def _term(self, term: str) -> Test | None:
        negative, text = term.startswith("-"), _unquoted(term.lstrip("-"))
        default = self.filters.get("default")
        if default is None:
            return None
        test = _comparison(default, "=", text)
        return _negated(test) if negative else test


def _negated(test: Test | None) -> Test | None:
    return (lambda record: not test(record)) if test else None


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]:
        value = value[1:-1]
    return re.sub(r"\\(.)", r"\1", value)


def _comparison(known: Filter, operator: str, text: str) -> Test:
    if text == "*":
        return lambda record: known.read(record) not in (None, "", [])
    if known.kind == "time":
        return _time_test(known, operator, text)
    if known.kind in ("number", "id"):
        return _number_test(known, operator, text)
    if known.kind == "boolean":
        wanted = text.lower() in ("true", "1", "yes")
        return lambda record: bool(known.read(record)) is wanted
    test = _text_test(known, operator, text.lower())
    return _negated(test) if known.kind == "not_in" else test


def _listed(value) -> list:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text_test(known: Filter, operator: str, wanted: str) -> Test:
    if known.kind == "words":

        def test(record):
            return any(wanted.rstrip("*") in str(v).lower() for v in _listed(known.read(record)))
    elif wanted.endswith("*"):

        def test(record):
            values = _listed(known.read(record))
            return any(str(value).lower().startswith(wanted[:-1]) for value in values)
    else:

        def test(record):
            return any(str(value).lower() == wanted for value in _listed(known.read(record)))

    return _negated(test) if operator == "!=" else test


COMPARE = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
}


def _number(text) -> Decimal | None:
    try:
        return Decimal(str(text).rsplit("/", 1)[-1].split("?", 1)[0])
    except InvalidOperation:
        return None


def _number_test(known: Filter, operator: str, text: str) -> Test:
    wanted, compare = _number(text), COMPARE[operator]

    def test(record):
        values = (_number(value) for value in _listed(known.read(record)))
        return wanted is not None and any(v is not None and compare(v, wanted) for v in values)

    return test


def moment(text: str) -> tuple[datetime, timedelta] | None:
    """A point in time and the precision in which it was written (a day, a second, ...)."""
    if text.lower() == "now":
        return datetime.now(timezone.utc), timedelta(0)
    if re.fullmatch(r"\d{4}", text):
        return datetime(int(text), 1, 1, tzinfo=timezone.utc), timedelta(days=365)
    precision = timedelta(days=1) if len(text) <= 10 else timedelta(seconds=1)
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00").replace(" ", "T"))
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)), precision


def _time_test(known: Filter, operator: str, text: str) -> Test:
    parsed = moment(text)
    if parsed is None:
        return lambda _record: False
    start, precision = parsed
    compare = COMPARE[operator]

    def test(record):
        value = known.read(record)
        found = moment(value) if value else None
        if found is None:
            return False
        if operator == "=":
            return start <= found[0] < start + (precision or timedelta(seconds=1))
        # "<= a day" and "> a day" mean the end of that day.
        edge = start + precision if operator in ("<=", ">") and precision.days else start
        if edge != start:
            return found[0] < edge if operator == "<=" else found[0] >= edge
        return compare(found[0], start)

    return test
