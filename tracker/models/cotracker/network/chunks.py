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
        product_first: how correlations are computed; see `correlation.correlate`
        on_block: called before each block of work; may raise, to end it
    """

    encoder_frames: int = 1
    gather_tokens: int = 64
    mlp_tokens: int = 256
    block_tokens: int = 1024
    product_first: bool = False
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

    def gather_points(self, num_frames: int) -> int:
        """Points whose patches of so many frames are in memory together, at least one."""
        return max(self.gather_tokens // num_frames, 1)

    def mlp_points(self, num_frames: int) -> int:
        """The same for correlation volumes, in whole blocks of `gather_points`."""
        block = self.gather_points(num_frames)
        return max(self.mlp_tokens // num_frames // block, 1) * block

    def to_dict(self) -> dict[str, int]:
        """The sizes as JSON values."""
        names = [item.name for item in fields(self) if item.name.endswith(("_frames", "_tokens"))]
        return {name: getattr(self, name) for name in names}

    def slices(self, total: int, size: int) -> Iterator[slice]:
        """The blocks of a loop: `slices`, announced by `on_block`."""
        for some in slices(total, size):
            if self.on_block is not None:
                self.on_block()
            yield some


# a core's caches hold a block; measured in benchmarks/results/cotracker_cpu.md
CPU_CHUNKS = ChunkSizes()
# enough work per kernel to fill a large GPU
# (attention kernels take 65535 rows at most, and a clip of one frame has as many as tokens)
GPU_CHUNKS = ChunkSizes(encoder_frames=16, gather_tokens=8192, mlp_tokens=16384, block_tokens=65535)


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
    """Slices of about equal sizes that cover 0 .. total.

    Args:
        total: end of the last slice
        size: of a slice at most; while gradients are recorded there is one slice
            of everything, because blocks are written in place

    Yields:
        slices, none where total is 0
    """
    count = -(-total // max(total if torch.is_grad_enabled() else size, 1))
    for i in range(count):
        yield slice(i * total // count, (i + 1) * total // count)
