"""The panel without its script: a plotly picture of the tracks over the first frame. It does not follow the video."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import fiftyone as fo
import fiftyone.operators.types as types
import numpy as np

from ...store.tracks.reader import read_tracks_at
from ...tracker.coordinates import column_of, frame_index_of, frame_number_of
from ...tracker.errors import VideoError
from ...tracker.video.frames import VideoFrames
from .thinning import even_choice

MAX_LINES = 100
_LONGEST_SIDE = 640
_QUALITY = 80
_HEIGHT_PX = 600
_LAYOUT = {
    "yaxis": {"autorange": "reversed", "scaleanchor": "x", "visible": False},
    "xaxis": {"visible": False},
    "showlegend": False,
    "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
}


def grey_frame(path: str, longest_side: int = _LONGEST_SIDE) -> str | None:
    """The first frame of a video in grey, as a JPEG in a data URL.

    Args:
        path: of the video
        longest_side: in pixels; larger frames are made smaller

    Returns:
        the URL; None where the video does not decode
    """
    import cv2

    try:
        video = VideoFrames(path)
        scale = min(longest_side / max(video.size_px), 1.0)
        width, height = (max(round(side * scale), 1) for side in video.size_px)
        frame = video.read([0], size_px=(width, height))[0]
    except VideoError:
        return None
    _, coded = cv2.imencode(".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(coded.tobytes()).decode('ascii')}"


def plain_notes(scene: dict[str, Any]) -> list[str]:
    """What a person has to know of the plain picture of a scene, as of `plotly_traces`."""
    told = list(scene["told"])
    drawn = min(len(scene["tracks"]), MAX_LINES)
    if drawn < scene["num_chosen"]:
        told.append(f"{drawn} of {scene['num_chosen']} tracks are drawn, evenly chosen")
    if scene["thinned"]:
        told.append(f"A long video: {len(scene['frames'])} of its frames are drawn")
    return told


def plotly_traces(sample: fo.Sample, scene: dict[str, Any]) -> list[dict[str, Any]]:
    """The tracks of a scene as plotly draws them.

    Args:
        sample: the video
        scene: from `build_scene`

    Returns:
        the first frame, and at most `MAX_LINES` lines, of evenly chosen tracks; a point has the id
        "<track>:<frame number>"
    """
    rows = [scene["tracks"][k] for k in even_choice(len(scene["tracks"]), MAX_LINES)]
    frames = frame_index_of(np.array(scene["frames"], dtype=np.int64))
    tracks = read_tracks_at(sample, scene["field"], frames)
    picture = grey_frame(sample.filepath)
    width, height = scene["size"]
    traces: list[dict[str, Any]] = []
    if picture is not None:
        # the picture may be smaller than the frame
        shown = min(_LONGEST_SIDE / max(width, height), 1.0)
        traces.append({"type": "image", "source": picture, "hoverinfo": "skip", "dx": 1 / shown, "dy": 1 / shown})
    for row in rows:
        column = column_of(row["index"])
        at = np.where(tracks.visible[:, column, None], tracks.xy[:, column], np.nan).round(1)
        x, y = ([None if np.isnan(value) else float(value) for value in axis] for axis in at.T)
        traces.append(
            {
                "type": "scattergl",
                "mode": "lines+markers",
                "marker": {"size": 3},
                "line": {"width": 1},
                "name": f"{row['label']} {row['index']}",
                "x": x,
                "y": y,
                "ids": [f"{row['index']}:{frame_number_of(t)}" for t in frames.tolist()],
            }
        )
    return traces


def add_plain_picture(panel: types.Object, state: Any, on_click: Callable[[Any], None]) -> None:
    """Adds the picture to a panel, and what to say of it.

    Args:
        panel: where it is to be
        state: of the panel
        on_click: what answers a click on a point
    """
    missing = state.get("missing")
    why = f"This version of the App has no {', '.join(missing)}" if missing else "The plugin's script did not load"
    text = f"{why}: a plain picture is shown, which does not follow the video. A click on a line tells its track"
    panel.view("plain", types.Notice(label=text))
    if state.get("problem"):
        panel.view("problem", types.Notice(label=state.get("problem")))
        return
    for k, told in enumerate(state.get("told") or ()):
        panel.view(f"told_{k}", types.Notice(label=told))
    panel.plot("plot", layout=_LAYOUT, height=_HEIGHT_PX, on_click=on_click)
