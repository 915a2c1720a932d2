"""`source.import`: the people of one imported file.

Absent on purpose: reading the file. The workspace imports it before a run, under the name `ImportFile.source`; this
node then hands out the contacts that carry that name.
"""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, ClassVar

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.nodes.paging import page


class ImportFileParameters(Parameters):
    """What `source.import` can be told."""

    file: Annotated[str, Field(min_length=1, max_length=1_000)] = Field(
        title="File",
        description="The list of contacts: CSV, text in columns, Parquet, JSON lines or XLSX.",
        json_schema_extra={"widget": "file"},
    )
    mapping: Annotated[str, Field(max_length=1_000)] = Field(
        default="",
        title="Mapping",
        description="A mapping file that says which column is what. Empty: columns are recognised by their names.",
        json_schema_extra={"widget": "file"},
    )
    key: Annotated[str, Field(max_length=200)] = Field(
        default="",
        title="Key column",
        description="The column that tells contacts apart, such as a customer number. Empty: the mail address.",
    )
    source: Annotated[str, Field(max_length=200)] = Field(
        default="",
        title="Name of the import",
        description="What the import is called in the audience. Empty: the name of the file.",
    )


class ImportFile:
    """Hands out the contacts of its import, in the order of their ids."""

    declaration: ClassVar[Declaration] = Declaration(
        id="source.import",
        version=1,
        title="Import contacts",
        summary="Starts with the people in a file.",
        group="Start",
        icon="file-spreadsheet",
        role="source",
        inputs=(),
        needs=("contacts",),
    )
    Parameters: ClassVar[type[BaseModel]] = ImportFileParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, ImportFileParameters)
        self.parameters = parameters

    @property
    def source(self) -> str:
        """The name under which the import's contacts are known."""
        path = self.parameters.file
        name = PureWindowsPath(path).name if "\\" in path else PurePosixPath(path).name
        return self.parameters.source or name

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(out={"out": batch})

    async def produce(self, cursor: str | None, limit: int, context: NodeContext) -> tuple[pl.DataFrame, str | None]:
        """The next `limit` contacts of the import; the cursor is the last contact id handed out."""
        return page(cursor, limit, lambda after, count: context.contacts.ids(after, count, self.source))
