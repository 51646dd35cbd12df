"""Writes a checkpoint as safetensors.

`python -m point_tracking.tracker.models.cotracker.weights.convert_weights IN OUT`

safetensors files hold numbers and nothing else, load faster, and carry the
model's sizes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ....errors import PointTrackingError
from .checkpoint import flavour, load_network, save_network


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: of the command line; None = those of the process

    Returns:
        0, or 1 where the input is no checkpoint of a CoTracker model, or the output cannot be written
    """
    parser = argparse.ArgumentParser(prog="convert_weights", description=__doc__)
    parser.add_argument("input", help="a .pth or .safetensors file")
    parser.add_argument("output", help="the .safetensors file to write")
    given = parser.parse_args(arguments)
    if not given.output.endswith(".safetensors"):
        parser.error("the output must end with .safetensors")
    try:
        model = load_network(given.input)
        save_network(model, given.output)
    except PointTrackingError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{given.output}: {flavour(model.config)}, window of {model.config.window} frames")
    return 0


if __name__ == "__main__":
    sys.exit(main())
