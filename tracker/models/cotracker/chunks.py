"""How much of the work is done at once: the knobs between speed and memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace

import torch


@dataclass(frozen=True)
class ChunkSizes:
    """Sizes of the blocks in which a model works through its tokens (one per point and frame).

    The numbers are the same whatever the sizes, up to rounding.

    Args:
        encoder_frames: frames resized and encoded together
        gather_tokens: tokens whose feature patches are in memory together
        mlp_tokens: tokens whose correlation volumes are in memory together
        block_tokens: tokens that pass a transformer block together
        on_block: called before each block of work; may raise, to end it
    """

    encoder_frames: int = 1
    gather_tokens: int = 64
    mlp_tokens: int = 256
    block_tokens: int = 1024
    on_block: Callable[[], None] | None = field(default=None, repr=False, compare=False)

    def halved(self, smallest: ChunkSizes | None = None) -> ChunkSizes:
        """Half of every size, but not below the smallest."""
        smallest = smallest or ChunkSizes(1, 1, 1, 1)
        return replace(
            self,
            encoder_frames=max(self.encoder_frames // 2, smallest.encoder_frames),
            gather_tokens=max(self.gather_tokens // 2, smallest.gather_tokens),
            mlp_tokens=max(self.mlp_tokens // 2, smallest.mlp_tokens),
            block_tokens=max(self.block_tokens // 2, smallest.block_tokens),
        )

    def to_dict(self) -> dict[str, int]:
        """The sizes as JSON values."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name != "on_block"}

    def slices(self, total: int, size: int) -> Iterator[slice]:
        """The blocks of a loop: `slices`, announced by `on_block`."""
        for some in slices(total, size):
            if self.on_block is not None:
                self.on_block()
            yield some


# a core's caches hold a block; measured in benchmarks/results/cotracker_cpu.md
CPU_CHUNKS = ChunkSizes()
# enough work per kernel to fill a large GPU
GPU_CHUNKS = ChunkSizes(encoder_frames=16, gather_tokens=8192, mlp_tokens=16384, block_tokens=65536)


def default_chunks(device: torch.device) -> ChunkSizes:
    """The sizes that are fastest where memory is no concern."""
    if device.type != "cpu":
        return GPU_CHUNKS
    threads = torch.get_num_threads()
    return replace(
        CPU_CHUNKS,
        gather_tokens=CPU_CHUNKS.gather_tokens * threads,
        mlp_tokens=CPU_CHUNKS.mlp_tokens * threads,
        block_tokens=CPU_CHUNKS.block_tokens * threads,
    )


def slices(total: int, size: int) -> Iterator[slice]:
    """Slices that cover 0 .. total.

    Args:
        total: end of the last slice
        size: of a slice at most; while gradients are recorded there is one slice
            of everything, because blocks are written in place

    Yields:
        slices, none where total is 0
    """
    size = max(total if torch.is_grad_enabled() else size, 1)
    for start in range(0, total, size):
        yield slice(start, min(start + size, total))
