"""A whole adaptation on real encoded clips: what is trained, kept, stored and told."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import adaptable
import numpy as np
import pytest
import torch
from adaptable import TeacherTracker, drifting_start

import point_tracking as pt
from point_tracking.tracker.errors import AdaptationError, Cancelled, OptionError, OutputError, TooFewVideosError
from point_tracking.tracker.models import adapted
from point_tracking.tracker.models.base import Tracker
from point_tracking.tracker.models.cotracker.network.config import COTRACKER3_OFFLINE, COTRACKER3_ONLINE
from point_tracking.tracker.models.cotracker.tracker import CoTrackerTracker
from point_tracking.tracker.models.cotracker.weights.checkpoint import load_network, save_network
from point_tracking.tracker.models.pt_small.tracker import ShippedTracker
from point_tracking.tracker.training.adapting import adaptation
from point_tracking.tracker.training.adapting.adaptation import Adaptation, AdaptationOptions, adapt, clip_lengths
from point_tracking.tracker.training.configs import TINY

# lowers the drift of the start from 0.08 to almost nothing
ENOUGH = {"steps": 30, "points": 16, "learning_rate": 3e-3}


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("videos")
    return [str(adaptable.textured_video(folder / f"{k}.mp4", k)) for k in range(3)]


@pytest.fixture(autouse=True)
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POINT_TRACKING_WEIGHTS_DIR", str(tmp_path / "weights"))
    return tmp_path / "weights"


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def quick(
    videos: Sequence[str],
    *,
    start: Tracker | None = None,
    teachers: Sequence[Tracker] | None = None,
    name: str = "mine",
    progress=None,
    cancelled=None,
    **options,
) -> Adaptation:
    options = {"steps": 2, "points": 8, **options}
    start = start or drifting_start()
    teachers = [TeacherTracker()] if teachers is None else teachers
    return adapt(videos, name, AdaptationOptions(**options), start, teachers, progress=progress, cancelled=cancelled)


@pytest.fixture
def always_better(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what becomes of a better tracker, in two steps."""
    monkeypatch.setattr(adaptation.HeldOutVideos, "judge", lambda *_: adaptation.Verdict(True, "for this test"))


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


# -- better: kept


def test_a_better_tracker_is_stored_listed_and_loadable(videos: list[str], weights: Path) -> None:
    start = drifting_start(0.08)
    before = {name: value.clone() for name, value in start.model.state_dict().items()}
    shares: list[float] = []
    result = quick(videos, start=start, progress=lambda share, text: shares.append(share), **ENOUGH)
    assert result.kept, result.verdict
    assert result.before is not None
    assert result.after is not None
    assert result.after.returned > result.before.returned + 0.3
    assert (result.steps, result.batches) == (30, {"teacher": 30})
    assert (len(result.trained_on), len(result.judged_by)) == (2, 1)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0

    assert files_in(weights) == ["mine.safetensors"]
    assert pt.list_trackers()[-1] == "mine"
    info = pt.tracker_info("mine")
    assert (info.weights_license, info.commercial_use) == (adapted.UNKNOWN_LICENSE, False)
    loaded = pt.load_tracker("mine", device="cpu", resolution=64)
    assert isinstance(loaded, ShippedTracker)
    assert loaded.name == "mine"
    lineage = adapted.find_adapted("mine")
    assert lineage is not None
    assert lineage.facts["after"] == result.after.to_dict()

    after = load_network(result.path or "").state_dict()
    heads = {"updateformer.vis_conf_head.weight", "updateformer.vis_conf_head.bias"}
    same = {name for name, value in after.items() if value.equal(before[name])}
    assert heads < same, "bit for bit"
    assert not {name for name in same - heads if name.endswith(".weight")}, "all others are trained"
    assert all(start.model.state_dict()[name].equal(value) for name, value in before.items()), "the start is untouched"

    clip = np.random.default_rng(0).integers(0, 255, (9, 48, 64, 3), np.uint8)
    tracks = loaded.track(clip, pt.point_queries([(0, 20, 20)]))
    assert tracks.xy.shape == (9, 1, 2)
    with pytest.raises(OptionError, match="it has its own weights"):
        pt.load_tracker("mine", checkpoint="x.pth")


def test_the_same_seed_gives_the_same_weights(videos: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(
        adaptation.HeldOutVideos, "score", lambda self, tracker, progress: made.append(tracker.model) or self.before
    )
    random_state = torch.get_rng_state()
    for seed in (1, 1, 2):
        quick(videos, seed=seed, teachers=[TeacherTracker("a"), TeacherTracker("b")])
    states = [model.state_dict() for model in made]
    assert all(states[0][name].equal(states[1][name]) for name in states[0])
    assert not all(states[0][name].equal(states[2][name]) for name in states[0])
    assert torch.get_rng_state().equal(random_state), "the caller's random numbers are left alone"


def test_an_adapted_tracker_can_be_adapted_and_be_a_teacher(videos: list[str], always_better: None) -> None:
    lineage = adapted.Lineage(adapted.WeightsTerms("pt-small", "Apache-2.0", True), (), "pt-small")
    adapted.save_adapted("first", drifting_start(0.08).model, lineage)
    start = pt.load_tracker("first", device="cpu")
    result = quick(videos, start=start, teachers=[TeacherTracker(), start], name="second")
    assert pt.list_trackers()[-2:] == ["first", "second"]
    assert result.lineage.family == "pt-small"
    assert result.lineage.start == adapted.WeightsTerms("first", "Apache-2.0", True)
    assert [teacher.name for teacher in result.lineage.teachers] == ["teacher", "first"]
    assert result.lineage.license == f"Apache-2.0 AND {adapted.UNKNOWN_LICENSE}"


def test_a_non_commercial_teacher_makes_the_result_non_commercial(
    videos: list[str], weights: Path, always_better: None
) -> None:
    lineage = adapted.Lineage(adapted.WeightsTerms("pt-small", "Apache-2.0", True), (), "pt-small")
    adapted.save_adapted("free", drifting_start().model, lineage)
    assert pt.tracker_info("free").commercial_use
    start = pt.load_tracker("free", device="cpu")
    assert quick(videos, start=start, teachers=[start, pt.load_tracker("optical-flow")]).lineage.commercial_use
    quick(videos, start=start, teachers=[TeacherTracker("cotracker3-offline")], overwrite=True)
    info = pt.tracker_info("mine")
    assert not info.commercial_use
    assert "CC-BY-NC-4.0" in info.terms
    assert "NON-COMMERCIAL" in info.terms
    assert adapted.read_metadata(weights / "adapted" / "mine.safetensors")["license"] == "Apache-2.0 AND CC-BY-NC-4.0"


@pytest.mark.parametrize("mode", ["offline", "online"])
def test_the_published_form_can_be_adapted_from_a_file(
    videos: list[str], tmp_path: Path, mode: str, always_better: None
) -> None:
    left_out = ("mode", "motion_resolution", "guided")
    tiny = {name: value for name, value in asdict(TINY.model).items() if name not in left_out}
    config = replace(COTRACKER3_OFFLINE if mode == "offline" else COTRACKER3_ONLINE, **{**tiny, "window": 8})
    save_network(drifting_start(config=config).model, tmp_path / "published.safetensors")
    name = f"cotracker3-{mode}"
    start = pt.load_tracker(name, checkpoint=tmp_path / "published.safetensors", device="cpu")
    result = quick(videos, start=start, teachers=[start])
    assert not result.lineage.commercial_use
    loaded = pt.load_tracker("mine", device="cpu", iterations=1)
    assert isinstance(loaded, CoTrackerTracker)
    assert loaded.capabilities == start.capabilities
    assert loaded.model.config == config


# -- not better: nothing is left


def test_a_tracker_that_is_not_better_leaves_nothing(videos: list[str], weights: Path) -> None:
    result = quick(videos, learning_rate=1e-9)
    assert not result.kept
    assert result.verdict is not None
    assert "not better" in result.verdict.reason
    assert result.path is None
    assert files_in(weights) == []
    assert "mine" not in pt.list_trackers()


def test_what_was_stored_before_is_kept_where_the_new_one_is_not_better(videos: list[str], weights: Path) -> None:
    lineage = adapted.Lineage(adapted.WeightsTerms("pt-small", "Apache-2.0", True), (), "pt-small")
    path = adapted.save_adapted("mine", drifting_start(0.01).model, lineage)
    content = path.read_bytes()
    with pytest.raises(OptionError, match="There is an adapted tracker 'mine' already"):
        quick(videos)
    assert not quick(videos, learning_rate=1e-9, overwrite=True).kept
    assert path.read_bytes() == content


@pytest.mark.parametrize("moment", ["Before training", "Training", "After training"])
def test_a_cancelled_run_leaves_nothing(
    videos: list[str], weights: Path, always_better: None, moment: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: list[str] = []
    with pytest.raises(Cancelled):
        quick(
            videos,
            progress=lambda share, text: seen.append(text),
            cancelled=lambda: any(text.startswith(moment) for text in seen),
        )
    assert seen[-1].startswith(moment)
    assert files_in(tmp_path) == []


def test_weights_that_are_no_numbers_are_not_stored(
    videos: list[str], weights: Path, always_better: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = adaptation.Trainer.run

    def spoiled(trainer: adaptation.Trainer) -> bool:
        complete = trained(trainer)
        with torch.no_grad():
            trainer.ema.updateformer.flow_head.bias[0] = torch.nan
        return complete

    monkeypatch.setattr(adaptation.Trainer, "run", spoiled)
    with pytest.raises(AdaptationError, match="no numbers after training"):
        quick(videos)
    assert files_in(weights) == []


def test_teachers_without_labels_end_the_run(videos: list[str], weights: Path) -> None:
    with pytest.raises(AdaptationError, match="20 clips in a row could not be used: the teacher's positions are no"):
        quick(videos, teachers=[TeacherTracker(spoil="nan")])
    assert files_in(weights) == []


def test_a_folder_that_cannot_be_written_is_told_before_anything_else(videos: list[str], weights: Path) -> None:
    weights.mkdir()
    (weights / "adapted").write_text("a file in the place of the folder")
    told: list[str] = []
    with pytest.raises(OutputError, match=r"cannot be written to .*POINT_TRACKING_WEIGHTS_DIR"):
        quick(videos, progress=lambda share, text: told.append(text))
    assert told == []


def test_a_full_disk_leaves_the_old_tracker(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import safetensors.torch

    lineage = adapted.Lineage(adapted.WeightsTerms("pt-small", "Apache-2.0", True), (), "pt-small")
    path = adapted.save_adapted("mine", drifting_start(0.01).model, lineage)
    content = path.read_bytes()

    def full(state: object, file: str, **_: object) -> None:
        Path(file).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(OutputError, match="No space left"):
        adapted.save_adapted("mine", drifting_start(0.02).model, lineage)
    assert files_in(weights) == ["mine.safetensors"]
    assert path.read_bytes() == content


# -- refused before anything is read


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_videos_are_refused(videos: list[str], count: int) -> None:
    with pytest.raises(TooFewVideosError, match="at least 2 different videos"):
        quick(videos[:count])


@pytest.mark.parametrize(
    "name", ["", "Mine", "my tracker", "../x", "ä", "1st", "optical-flow", "pt-mine", "a" * 65, None]
)
def test_bad_names_are_refused(videos: list[str], name: str) -> None:
    with pytest.raises(OptionError, match="Invalid name of a tracker"):
        quick(videos, name=name)


def test_other_trackers_cannot_be_adapted(videos: list[str]) -> None:
    with pytest.raises(OptionError, match="'optical-flow' cannot be adapted"):
        quick(videos, start=pt.load_tracker("optical-flow"))
    bfloat16 = CoTrackerTracker.from_model(drifting_start().model, dtype="bfloat16", device="cpu")
    with pytest.raises(OptionError, match="bfloat16"):
        quick(videos, start=bfloat16)
    with pytest.raises(OptionError, match="no teacher"):
        quick(videos, teachers=[])


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"minutes": 1, "steps": 1}, "Choose one budget"),
        ({"minutes": 0}, "Invalid minutes"),
        ({"minutes": float("nan")}, "Invalid minutes"),
        ({"steps": 1.5}, "Invalid steps"),
        ({"steps": True}, "Invalid steps"),
        ({"held_out": 1}, "below 1"),
        ({"seed": -1}, "Invalid seed"),
        ({"points": 3}, "Invalid points"),
        ({"frame_step": (3, 1)}, "Invalid frame_step"),
        ({"frame_step": 2}, "Invalid frame_step"),
        ({"ema": "yes"}, "Invalid ema"),
    ],
)
def test_bad_options_are_refused(options: dict, text: str) -> None:
    with pytest.raises(OptionError, match=text):
        AdaptationOptions(**options)


def test_clips_fit_the_models_windows() -> None:
    assert clip_lengths(COTRACKER3_OFFLINE) == [60]
    assert clip_lengths(COTRACKER3_ONLINE) == [24, 32, 40]
