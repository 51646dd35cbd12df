"""Numbers as people hold them: lists, numpy arrays, torch tensors that may need gradients or live on a GPU."""

from __future__ import annotations

from typing import Any


def detached(value: Any) -> Any:
    """A value without torch: tensors become numpy arrays, also those inside lists and tuples.

    Args:
        value: anything; torch is not imported for it

    Returns:
        what `numpy.asarray` takes; whatever is no tensor, or a list of some, as it is
    """
    if isinstance(value, list | tuple):
        return [detached(item) for item in value]
    if not (hasattr(value, "detach") and hasattr(value, "numpy")):
        return value
    tensor = value.detach().cpu()
    # numpy has no bfloat16
    return (tensor.float() if "bfloat16" in str(tensor.dtype) else tensor).resolve_conj().resolve_neg().numpy()
