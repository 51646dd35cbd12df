"""Pictures shown at exactly the times they were given."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import media
import numpy as np
import pytest

from point_tracking import probe
from point_tracking.tracker.errors import DependencyError
from point_tracking.tracker.transcoding import timed_output
from point_tracking.tracker.transcoding.policy import Selection
from point_tracking.tracker.transcoding.timed_output import TimedWriter, check_encoder, open_mp4
from point_tracking.tracker.types import FrameMap


@pytest.mark.parametrize("ticks", [[0, 1, 2, 3], [0, 3, 4, 9]])
def test_times_and_the_end_are_those_asked_for(tmp_path: Path, ticks: list[int]):
    regular = len(set(np.diff(ticks))) == 1
    selection = Selection(
        FrameMap(np.arange(4), 4), np.array(ticks), ticks[-1] + 1, Fraction(1, 10), Fraction(10), regular
    )
    path = tmp_path / "timed.mp4"
    with open_mp4(path) as output:
        writer = TimedWriter(
            output, media.SIZE, selection, preset="veryfast", crf=18, threads=1, pixel_aspect=Fraction(4, 3)
        )
        for k in range(4):
            picture = av.VideoFrame.from_ndarray(media.picture(k), format="rgb24")
            writer.write(picture.reformat(format="yuv420p"), k)
        writer.finish()
    exact = probe(path, exact=True)
    assert exact.timestamps_s is not None
    np.testing.assert_allclose(exact.timestamps_s, np.array(ticks) / 10, atol=1e-3)
    assert exact.duration_s == pytest.approx((ticks[-1] + 1) / 10, abs=1e-3)
    with av.open(str(path)) as file:
        assert file.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


def test_an_error_while_writing_is_not_hidden_by_one_of_closing(tmp_path: Path):
    with pytest.raises(ZeroDivisionError), open_mp4(tmp_path / "broken.mp4"):
        raise ZeroDivisionError


def test_a_build_without_encoder_is_named(monkeypatch: pytest.MonkeyPatch):
    check_encoder()
    monkeypatch.setattr(timed_output, "ENCODER", "no-such-encoder")
    with pytest.raises(DependencyError, match="libx264"):
        check_encoder()
    with pytest.raises(DependencyError, match="no encoder other"):
        check_encoder("other")
