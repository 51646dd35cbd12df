"""All that is told of the motion in one clip: figures to filter by, spans of time, points that go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import MotionError
from .alignment import AlignedSpans
from .apart import ApartMotion, apart_motion
from .background import PictureMotion, picture_motion
from .camera import CameraMotion, camera_motion
from .cuts import find_cuts, survival
from .embedding import motion_embedding
from .events import Event, camera_events, fast_events, fast_speed_of, leaving_events, merged
from .fates import Fates, fates_of
from .groups import common_fate
from .trajectories import Trajectories, thinned


@dataclass(frozen=True)
class Figure:
    """One thing that is told of a clip.

    Args:
        name: of the subfield
        kind: str, float or int
        meaning: one sentence, with its unit
    """

    name: str
    kind: type
    meaning: str


FIGURES = (
    Figure("camera", str, "What the camera does most: static, pan, tilt, roll, zoom, handheld; unknown"),
    Figure("pan", float, "How fast the picture goes left or right, diagonals of the frame per second"),
    Figure("tilt", float, "How fast the picture goes up or down, diagonals of the frame per second"),
    Figure("roll", float, "How fast the picture turns, degrees per second"),
    Figure("zoom", float, "How fast the picture grows or shrinks, share per second"),
    Figure("shake", float, "Fast motion of the camera besides, root mean square, share of the diagonal"),
    Figure("num_cuts", int, "Cuts"),
    Figure("moving_share", float, "Share of seen points that move apart from the camera"),
    Figure("num_groups", int, "Groups of points that move apart from the camera, each together"),
    Figure("moving_speed", float, "Median speed apart from the camera of what moves, diagonals per second"),
    Figure("speed", float, "Median speed of points in the picture, diagonals per second"),
    Figure("speed_95", float, "Speed that 95 % of points stay below, diagonals per second"),
    Figure("jitter", float, "Median restlessness of points from frame to frame, share of the diagonal"),
    Figure("leaving_share", float, "Share of points that go out of the frame"),
    Figure("hidden_share", float, "Share of points that are hidden for a while, and come back"),
    Figure("lost_share", float, "Share of points that are lost inside the frame, and do not come back"),
    Figure("longest_hidden_s", float, "Longest time after which a point comes back, seconds"),
    Figure("track_length_s", float, "Median time from the first to the last frame in which a point is seen, seconds"),
    Figure("visible_share", float, "Share of positions that are seen, from each point's first on"),
    Figure("num_points", int, "Points that were looked at"),
)


@dataclass(frozen=True, eq=False)
class MotionDescription:
    """What is told of a clip.

    Args:
        figures: name of a `Figure` -> value, None where it is not known
        events: in the order of time
        camera: what the camera did, step by step
        rows: (R,) frame indices that were looked at
        groups: (N,) int per point as `groups.common_fate` says, of each piece after the other
        embedding: of the whole clip, see `embedding`
    """

    figures: Mapping[str, str | float | int | None]
    events: list[Event]
    camera: CameraMotion
    rows: np.ndarray
    groups: np.ndarray
    embedding: np.ndarray


@dataclass(frozen=True, eq=False)
class _Piece:
    """A piece of a clip, looked at.

    Args:
        trajectories: of the piece
        motion: of the picture in it
        first_step: number of its first step in the clip
    """

    trajectories: Trajectories
    motion: PictureMotion
    first_step: int

    def own(self, cuts: np.ndarray) -> np.ndarray:
        """The cuts in this piece, counted from its first step."""
        steps = cuts - self.first_step
        return steps[(steps >= 0) & (steps < len(self.motion.linear))]


def describe(pieces: Sequence[Trajectories], spans: Sequence[AlignedSpans] | None = None) -> MotionDescription:
    """Tells what moves in a clip.

    Args:
        pieces: of the clip in the order of time; each begins in the frame in which the one before ends. Points are
            not the same from one to the next. A clip that was tracked as a whole is one piece
        spans: of each piece, how its pictures lie on each other: the camera is told from these where tracks lag;
            None = from tracks alone

    Raises:
        MotionError: if there are fewer than two frames, or no point is seen
    """
    pieces = [thinned(piece) for piece in pieces]
    if not any(piece.seen.any() for piece in pieces):
        raise MotionError("No point is ever seen in these tracks. Track other points")
    if sum(len(piece.rows) - 1 for piece in pieces) < 1:
        raise MotionError("Motion needs at least two tracked frames, and there is one. Track a longer video")
    looked = _looked_at(pieces, spans)
    step_s = np.concatenate([piece.step_s for piece in pieces])
    rows = np.concatenate([pieces[0].rows, *(piece.rows[1:] for piece in pieces[1:])])
    motion = _joined([piece.motion for piece in looked])
    survived = [survival(piece.trajectories, piece.motion) for piece in looked]
    cuts = find_cuts(*(np.concatenate([pair[k] for pair in survived]) for k in (0, 1)))
    if spans is not None:
        motion = _joined([s.corrected(p.own(cuts)) for s, p in zip(spans, looked, strict=True)])
    camera = camera_motion(motion, step_s, pieces[0].diagonal_px, cuts)
    aparts = [apart_motion(piece.trajectories, piece.motion, piece.own(cuts)) for piece in looked]
    fates = [fates_of(piece) for piece in pieces]
    groups = [common_fate(piece, apart) for piece, apart in zip(pieces, aparts, strict=True)]
    fast = np.concatenate([fast_speed_of(apart.speed) for apart in aparts])
    events = camera_events(camera, rows, cuts) + fast_events(fast, rows, step_s)
    for piece, apart, fate in zip(looked, aparts, fates, strict=True):
        events += leaving_events(piece.trajectories, apart, fate, piece.own(cuts).tolist())
    figures = {
        **_camera_figures(camera, cuts),
        **_motion_figures(aparts, groups),
        **(_fate_figures(pieces[0], fates[0]) if len(pieces) == 1 else _no_fates(pieces)),
    }
    embedding = motion_embedding(camera, aparts, step_s)
    return MotionDescription(figures, merged(events), camera, rows, np.concatenate(groups), embedding)


def _looked_at(pieces: Sequence[Trajectories], spans: Sequence[AlignedSpans] | None) -> list[_Piece]:
    motions = map(picture_motion, pieces) if spans is None else (one.motion for one in spans)
    found, first = [], 0
    for piece, motion in zip(pieces, motions, strict=True):
        found.append(_Piece(piece, motion, first))
        first += max(len(piece.rows) - 1, 0)
    return found


def _joined(motions: Sequence[PictureMotion]) -> PictureMotion:
    return PictureMotion(*(np.concatenate([getattr(m, name) for m in motions]) for name in ("linear", "shift_px")))


def _camera_figures(camera: CameraMotion, cuts: np.ndarray) -> dict[str, str | float | int | None]:
    known = camera.kind != "unknown"
    rates = {name: getattr(camera, name) if known else None for name in ("pan", "tilt", "roll", "zoom", "shake")}
    return {"camera": camera.kind, **rates, "num_cuts": len(cuts)}


def _motion_figures(aparts: Sequence[ApartMotion], groups: Sequence[np.ndarray]) -> dict[str, float | int | None]:
    windows = [apart.drift[np.isfinite(apart.drift)] for apart in aparts]
    moving = [apart.drift[apart.apart] / apart.window_s for apart in aparts]
    speeds = np.concatenate([apart.speed[np.isfinite(apart.speed)] for apart in aparts])
    jitter = np.concatenate([apart.jitter[np.isfinite(apart.jitter)] for apart in aparts])
    num_windows, num_moving = sum(map(len, windows)), sum(map(len, moving))
    return {
        "moving_share": num_moving / num_windows if num_windows else None,
        "num_groups": max((int(g.max(initial=0)) for g in groups), default=0),
        "moving_speed": _middle(np.abs(np.concatenate(moving))),
        "speed": _middle(speeds),
        "speed_95": float(np.percentile(speeds, 95)) if len(speeds) else None,
        "jitter": _middle(jitter),
    }


def _fate_figures(piece: Trajectories, fates: Fates) -> dict[str, float | int | None]:
    ever = fates.first >= 0
    seconds = np.concatenate([[0.0], np.cumsum(piece.step_s)])
    step = float(np.median(piece.step_s))
    shares = {"leaving_share": fates.leaves, "hidden_share": fates.hidden, "lost_share": fates.lost}
    return {
        **{name: float(flags[ever].mean()) for name, flags in shares.items()},
        "longest_hidden_s": float(fates.longest_hidden.max(initial=0) * step),
        "track_length_s": _middle(seconds[fates.last[ever]] - seconds[fates.first[ever]]),
        "visible_share": float(fates.seen_share[ever].mean()),
        "num_points": len(ever),
    }


def _no_fates(pieces: Sequence[Trajectories]) -> dict[str, float | int | None]:
    """Of points that are followed through a part of the clip alone, nothing is told of what becomes of them."""
    names = ("leaving_share", "hidden_share", "lost_share", "longest_hidden_s", "track_length_s", "visible_share")
    return {**dict.fromkeys(names), "num_points": sum(piece.seen.shape[1] for piece in pieces)}


def _middle(values: np.ndarray) -> float | None:
    return float(np.median(values)) if len(values) else None
