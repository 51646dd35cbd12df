"""How much of the work is done at once: the knobs between speed and memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields

import torch


@dataclass(frozen=True)
class ChunkSizes:
    """Sizes of the blocks in which a model works through its tokens (one per point and frame).

    The numbers are the same whatever the sizes, up to rounding. While gradients
    are recorded everything is done at once.

    Args:
        encoder_frames: frames resized and encoded together
        gather_tokens: tokens whose feature patches are in memory together
        mlp_tokens: tokens whose correlation volumes are in memory together
        block_tokens: tokens that pass a transformer block together
    """

    encoder_frames: int = 4
    gather_tokens: int = 64
    mlp_tokens: int = 256
    block_tokens: int = 1024

    def halved(self) -> ChunkSizes:
        """Half of every size, for when memory ran out."""
        return ChunkSizes(*(max(getattr(self, item.name) // 2, 1) for item in fields(self)))

    def to_dict(self) -> dict[str, int]:
        """The sizes as JSON values."""
        return asdict(self)


# a core's caches hold a block; measured in benchmarks/results/cotracker_cpu.md
CPU_CHUNKS = ChunkSizes()
# enough work per kernel to fill a large GPU
GPU_CHUNKS = ChunkSizes(encoder_frames=16, gather_tokens=8192, mlp_tokens=16384, block_tokens=131072)


def default_chunks(device: torch.device) -> ChunkSizes:
    """The sizes that are fastest where memory is no concern."""
    if device.type != "cpu":
        return GPU_CHUNKS
    threads = torch.get_num_threads()
    return ChunkSizes(
        CPU_CHUNKS.encoder_frames,
        *(size * threads for size in (CPU_CHUNKS.gather_tokens, CPU_CHUNKS.mlp_tokens, CPU_CHUNKS.block_tokens)),
    )


def slices(total: int, size: int) -> Iterator[slice]:
    """Slices of at most `size` (or of everything while gradients are recorded) that cover 0 .. total."""
    size = total if torch.is_grad_enabled() else size
    size = max(size, 1)
    for start in range(0, total, size):
        yield slice(start, min(start + size, total))
