"""XML read piece by piece, as values and nothing more: a document type, and with it every entity, is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ...errors import FormatError

_CHUNK_BYTES = 1 << 16
# elements within elements: the deepest that annotation programs write is five
_MAX_DEPTH = 12


def parts_of_root(path: str | os.PathLike[str], root: str) -> Iterator[Element]:
    """Yields the elements in the root of an XML file, each when it is complete; only one is held at a time.

    Args:
        path: of the file
        root: the name that its root must have

    Raises:
        FormatError: if it is no XML, has a document type, another root, or elements nested deeper than is sane
    """
    path = Path(path)
    collector = _Collector(path, root)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = collector.start
    parser.EndElementHandler = collector.end
    parser.CharacterDataHandler = collector.text
    parser.StartDoctypeDeclHandler = collector.refuse_doctype
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                parser.Parse(chunk, False)
                yield from collector.taken()
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise FormatError(
            f"{path} is no XML, or was cut off: {error}. Export it anew (an archive has to be unpacked first)"
        ) from error
    except OSError as error:
        raise FormatError(f"{path} cannot be read: {error.strerror or error}") from error
    yield from collector.taken()


class _Collector:
    """Builds the elements that stand in the root."""

    def __init__(self, path: Path, root: str) -> None:
        self._path, self._root = path, root
        self._depth = 0
        self._builder = TreeBuilder()
        self._complete: list[Element] = []

    def taken(self) -> list[Element]:
        complete, self._complete = self._complete, []
        return complete

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._depth == 0 and name != self._root:
            raise FormatError(f"{self._path} is another kind of XML: its root is {name!r}. Expected {self._root!r}")
        if self._depth >= _MAX_DEPTH:
            raise FormatError(f"{self._path} nests its elements deeper than {_MAX_DEPTH}, which no such file does")
        if self._depth == 1:
            self._builder = TreeBuilder()
        if self._depth >= 1:
            self._builder.start(name, attributes)
        self._depth += 1

    def end(self, name: str) -> None:
        self._depth -= 1
        if self._depth >= 1:
            self._builder.end(name)
        if self._depth == 1:
            self._complete.append(self._builder.close())

    def text(self, data: str) -> None:
        if self._depth >= 2:
            self._builder.data(data)

    def refuse_doctype(self, *_: Any) -> None:
        raise FormatError(
            f"{self._path} has a document type (DOCTYPE), which can make a reader fetch files or fill the memory, and "
            "which no annotation program writes. Export it anew"
        )
