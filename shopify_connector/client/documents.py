"""The GraphQL documents: one operation per file in `graphql/`, fragments in `fragment_*.graphql`.

A document is named after its file: `shop_info.graphql` holds `query ShopInfo`. The fragments that
it spreads are found by their names; a file holds one, so that no document carries an unused one.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "graphql"
_PREFIX = "fragment_"
_NOISE = re.compile(r'#[^\n]*|"(?:[^"\\\n]|\\.)*"')
_DEFINITION = re.compile(r"\bfragment\s+([A-Za-z_]\w*)\s+on\b")
_SPREAD = re.compile(r"\.\.\.\s*(?!on\b)([A-Za-z_]\w*)")


def names() -> tuple[str, ...]:
    """All operations, sorted."""
    stems = (path.stem for path in FOLDER.glob("*.graphql"))
    return tuple(sorted(stem for stem in stems if not stem.startswith(_PREFIX)))


@cache
def document(name: str) -> str:
    """The text of an operation, followed by all fragments that it needs.

    :raises LookupError: when the document or one of its fragments does not exist.
    """
    path = FOLDER / f"{name}.graphql"
    if not path.is_file():
        raise LookupError(f"There is no GraphQL document {name!r}")
    files = _fragment_files()
    texts: dict[Path, str] = {}
    wanted = [path]
    while wanted:
        path = wanted.pop()
        if path in texts:
            continue
        texts[path] = text = path.read_text(encoding="utf-8").strip()
        for fragment in _SPREAD.findall(_NOISE.sub("", text)):
            if fragment not in files:
                raise LookupError(f"There is no GraphQL fragment {fragment!r} ({name})")
            wanted.append(files[fragment])
    return "\n".join(texts.values())


def exists(name: str) -> bool:
    """Whether there is such a document."""
    return (FOLDER / f"{name}.graphql").is_file()


def snake(name: str) -> str:
    """`ShopInfo` -> `shop_info`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


@cache
def _fragment_files() -> dict[str, Path]:
    return {
        name: path
        for path in FOLDER.glob(f"{_PREFIX}*.graphql")
        for name in _DEFINITION.findall(_NOISE.sub("", path.read_text(encoding="utf-8")))
    }
