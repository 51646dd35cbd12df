"""Which tracks are exported, and what a format leaves behind."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from made_clips import corner_clip, mice

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.registry import FORMATS
from point_tracking.workflows.exchange.clips.choosing import check_media, chosen_clip, count_losses
from point_tracking.workflows.exchange.options import ExportOptions


def chosen(**options):
    left_out: Counter[str] = Counter()
    return chosen_clip(corner_clip(), ExportOptions("csv", **options), left_out), left_out


def test_long_and_confident_tracks_are_chosen_in_their_order():
    clip, left_out = chosen(top=2)
    assert (clip.indices.tolist(), left_out) == ([1, 2], Counter({"tracks beyond top": 2}))
    clip, left_out = chosen(min_length=4)
    assert (clip.indices.tolist(), left_out) == ([1, 2, 3], Counter({"tracks shorter than min_length": 1}))


def test_unsure_positions_are_left_out_and_counted():
    clip, left_out = chosen(min_confidence=0.6)
    assert clip.frames.tolist() == [2, 3, 4, 5]
    assert left_out == Counter({"positions below min_confidence": 7, "frames without any position": 2})


def test_every_kth_frame_of_the_video_is_kept():
    assert chosen(every=4)[0].frames.tolist() == [0, 4]
    assert chosen()[1] == Counter()


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("npz", {}),
        ("csv", {"tracks without any position": 1}),
        ("slp", {"hidden positions": 2}),
        ("3de", {
            "hidden positions": 2, "confidences": 18, "objects and nodes of tracks": 8,
            "marks of positions that a person gave": 2,
        }),
    ],
)  # fmt: skip
def test_what_a_format_cannot_hold_is_counted(name: str, lost: dict[str, int]):
    left_out: Counter[str] = Counter()
    clip = mice()
    if name == "3de":
        lost = {**lost, "confidences": int((clip.known & (clip.tracks.confidence < 1)).sum())}
    count_losses(clip, FORMATS[name], left_out)
    assert left_out == lost


def test_turned_videos_are_refused_where_a_program_does_not_turn_them():
    turned = replace(corner_clip(), media={"rotation": 90})
    with pytest.raises(FormatError, match="turned for display"):
        check_media(turned, FORMATS["nuke"])
    assert check_media(turned, FORMATS["colmap"]) == []
    (told,) = check_media(replace(corner_clip(), media={"pixel_aspect": 2.0}), FORMATS["blender"])
    assert "not square" in told
