"""The forms of operators, as the App asks for them."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators.executor import ExecutionContext


def form_of(uri: str, samples: fo.Dataset | fo.DatasetView, **params: Any) -> dict[str, Any]:
    """The fields of an operator's form, by name, once some are filled in; those that are folded too."""
    request = {"dataset_name": samples._root_dataset.name, "params": params}
    if isinstance(samples, fo.DatasetView):
        request["view"] = samples._serialize()
    context = ExecutionContext(request_params=request)
    properties = foo.get_operator(uri).resolve_input(context).type.properties
    folded = properties.get("more")
    return {**properties, **folded.type.properties} if folded is not None else properties


def invalid_in(form: dict[str, Any]) -> dict[str, str]:
    """The messages of fields that are marked as wrong, by name; what repeats that of a folded one is left out."""
    return {name: prop.error_message for name, prop in form.items() if prop.invalid and name != "folded_error"}
