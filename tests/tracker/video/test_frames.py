"""Reading frames: in chunks, by index, backwards, scaled; from every kind of file."""

import tracemalloc
from pathlib import Path

import av
import media
import numpy as np
import pytest
from av.error import FFmpegError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import point_tracking as pt
from point_tracking.tracker.errors import ShapeError, VideoError
from point_tracking.tracker.video import frames as frames_module
from point_tracking.tracker.video.frames import ArrayFrames, FrameSource, SampledFrames, VideoFrames, as_frame_source

X265_OPEN_GOP = {"x265-params": "open-gop=1"}

SOUND_FILES = {
    "constant.mp4": media.video,
    "audio.mp4": lambda path: media.video(path, audio=True),
    "one.mp4": lambda path: media.video(path, 1),
    "two.mp4": lambda path: media.video(path, 2),
    "variable.mp4": lambda path: media.variable_rate_video(path, 40),
    "variable_b.mp4": lambda path: media.variable_rate_video(path, 40, b_frames=3),
    "variable.mkv": lambda path: media.variable_rate_video(path, 40, b_frames=3),
    "b_frames.mp4": media.b_frame_video,
    "b_frames.mkv": media.b_frame_video,
    "b_frames.ts": media.b_frame_video,
    "b_frames.avi": media.b_frame_video,  # its time stamps go back
    "open_gop.mp4": media.open_gop_video,
    "open_gop.ts": media.open_gop_video,
    "open_gop_hevc.mp4": lambda path: media.video(path, 40, codec="libx265", b_frames=3, encoder_options=X265_OPEN_GOP),
    "long_gop.mp4": media.long_gop_video,
    "all_key.mp4": lambda path: media.video(path, 40, gop=1),
    "late.mp4": lambda path: media.b_frame_video(path, start_s=5.0),
    "late.ts": lambda path: media.b_frame_video(path, start_s=5.0),
    "vp9.webm": lambda path: media.vp9_video(path, 40),
    "mpeg4.avi": lambda path: media.mpeg4_video(path, 40),
    "mpeg2.mpg": lambda path: media.video(
        path, 40, codec="mpeg2video", fps=25, encoder_options={"bf": "2", "b": "4000000"}
    ),
    "raw.h264": lambda path: media.video(path, 40),
    "ten_bit.mp4": lambda path: media.ten_bit_video(path, 40),
    "ten_bit_h264.mp4": lambda path: media.ten_bit_video(path, 40, codec="libx264"),
    "grey.mp4": lambda path: media.grey_video(path, 40),
    "odd.mp4": lambda path: media.odd_sized_video(path, 40),
    "rotated.mp4": lambda path: media.rotated_video(path, 90, 40, b_frames=2),
}


def decoded(path: Path) -> np.ndarray:
    """All frames as PyAV gives them, from the first to the last."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return np.stack(
            [np.rot90(f.to_ndarray(format="rgb24"), k=round(f.rotation / 90) % 4) for f in container.decode(stream)]
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("frames")


@pytest.fixture(params=SOUND_FILES, scope="module")
def sound_file(request, folder):
    path = folder / request.param
    SOUND_FILES[request.param](path)
    return path, decoded(path)


@pytest.fixture(scope="module")
def clip(folder):
    """A seekable clip with several groups of pictures, scanned, and its frames."""
    path = media.b_frame_video(folder / "clip.mp4", 50)
    source = VideoFrames(path)
    source.scan()
    return source, decoded(path)


def everything(source: FrameSource, **options) -> np.ndarray:
    return np.concatenate([chunk.copy() for chunk in source.chunks(**options)])


# every kind of file


def test_chunks_are_what_decodes(sound_file):
    path, expected = sound_file
    source = VideoFrames(path)
    assert source.size_px == expected.shape[2:0:-1]
    chunks = list(source.chunks(chunk_frames=7))
    assert all(chunk.dtype == np.uint8 and len(chunk) == 7 for chunk in chunks[:-1])
    np.testing.assert_array_equal(np.concatenate(chunks), expected)
    assert source.num_frames == len(expected)
    assert source.warnings == []


def test_reading_from_anywhere_equals_reading_all(sound_file):
    path, expected = sound_file
    source = VideoFrames(path)
    source.scan()
    assert source.num_frames == len(expected)
    for start in range(0, len(expected), 3):
        chunk = next(source.chunks(start=start, chunk_frames=5))
        np.testing.assert_array_equal(chunk, expected[start : start + 5])
    some = np.random.default_rng(0).integers(0, len(expected), 9)
    np.testing.assert_array_equal(source.read(some), expected[some])
    assert source.warnings == []


def test_backwards(sound_file):
    path, expected = sound_file
    source = VideoFrames(path)
    chunks = list(source.reversed_chunks(stop=len(expected), chunk_frames=6))
    np.testing.assert_array_equal(np.concatenate(chunks), expected[::-1])
    assert max(map(len, chunks)) <= 6


def test_frames_show_their_index(sound_file):
    path, _ = sound_file
    if path.stem == "rotated":
        return  # read upright below
    source = VideoFrames(path)
    assert media.indices_in(everything(source)) == list(range(source.num_frames))


def test_scaled_at_reading(sound_file):
    path, expected = sound_file
    source = VideoFrames(path)
    small = everything(source, size_px=(80, 60))
    reference = everything(ArrayFrames(expected), size_px=(80, 60))
    assert small.shape == (len(expected), 60, 80, 3)
    assert np.abs(small.astype(int) - reference).mean() < 4  # colour is scaled before it is converted
    np.testing.assert_array_equal(source.read([0, len(expected) - 1], size_px=(80, 60)), small[[0, -1]])


# content


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotated_files_are_read_upright(tmp_path, degrees):
    path = media.rotated_video(tmp_path / "clip.mp4", degrees, 3)
    source = VideoFrames(path)
    frames = source.read([0, 1, 2])
    for k, frame in enumerate(frames):
        assert media.looks_like(frame, np.rot90(media.picture(k), degrees // 90))
        others = [np.rot90(media.picture(k), turn) for turn in range(4) if turn != degrees // 90]
        assert not any(media.looks_like(frame, other, 20) for other in others)
    width, height = source.size_px
    scaled = source.read([2], size_px=(width // 2, height // 2))[0]
    assert scaled.shape == (height // 2, width // 2, 3)
    halved = media.picture(2).reshape(60, 2, 80, 2, 3).mean(axis=(1, 3))
    assert media.looks_like(scaled, np.rot90(halved, degrees // 90))


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_mirrored_files_are_read_as_players_show_them(tmp_path, degrees):
    path = media.rotated_video(tmp_path / "clip.mp4", degrees, 3, mirrored=True)
    source = VideoFrames(path)
    shown = np.rot90(media.picture(1), degrees // 90)[:, ::-1]
    assert source.size_px == shown.shape[1::-1]
    assert media.looks_like(source.read([1])[0], shown)


@pytest.mark.parametrize("options", [{}, {"codec": "libx264"}])
def test_ten_bits_are_scaled_to_eight(tmp_path, options):
    frames = everything(VideoFrames(media.ten_bit_video(tmp_path / "clip.mp4", **options)))
    assert all(media.looks_like(frame, media.picture(k)) for k, frame in enumerate(frames))


def test_grey_is_grey(tmp_path):
    frames = everything(VideoFrames(media.grey_video(tmp_path / "clip.mp4")))
    assert (frames[..., 0] == frames[..., 1]).all()
    assert (frames[..., 0] == frames[..., 2]).all()
    luma = media.picture(3) @ [0.299, 0.587, 0.114]
    assert np.abs(frames[3, ..., 0] - luma).mean() < 8


def test_odd_sizes_lose_no_column(tmp_path):
    frames = everything(VideoFrames(media.odd_sized_video(tmp_path / "clip.mp4")))
    assert frames.shape[1:] == (121, 161, 3)
    assert media.looks_like(frames[5], media.picture(5, (161, 121)))


def test_a_file_that_changes_its_size_keeps_the_first_one(tmp_path):
    source = VideoFrames(media.resized_midway_video(tmp_path / "clip.ts", 20))
    frames = everything(source)
    assert frames.shape == (20, 120, 160, 3)
    assert media.indices_in(frames) == list(range(20))


# arguments


def test_start_and_stop(clip):
    source, expected = clip
    for start, stop in [(0, 50), (0, 1), (17, 18), (13, 37), (49, 50), (30, 999), (12, 24)]:
        np.testing.assert_array_equal(everything(source, start=start, stop=stop, chunk_frames=8), expected[start:stop])
    for start, stop in [(5, 5), (9, 3), (50, None), (500, 600)]:
        assert list(source.chunks(start=start, stop=stop)) == []


@pytest.mark.parametrize("chunk_frames", [1, 2, 16, 49, 50, 51, 1000])
def test_chunk_sizes(clip, chunk_frames):
    source, _ = clip
    sizes = [len(chunk) for chunk in source.chunks(chunk_frames=chunk_frames)]
    assert sum(sizes) == 50
    assert set(sizes[:-1]) <= {chunk_frames}
    assert 1 <= sizes[-1] <= chunk_frames


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 49), max_size=8))
def test_read_in_any_order_with_repetitions(clip, indices):
    source, expected = clip
    np.testing.assert_array_equal(source.read(indices), expected[indices])


@pytest.mark.parametrize("arguments", [{"chunk_frames": 0}, {"start": -1}, {"size_px": (0, 5)}, {"size_px": (5, -1)}])
def test_bad_arguments_are_refused(clip, arguments):
    with pytest.raises(ShapeError, match="Invalid"):
        next(clip[0].chunks(**arguments))


def test_frames_that_do_not_exist_are_refused(clip):
    for source in (clip[0], ArrayFrames(clip[1]), VideoFrames(clip[0].probe.path)):
        with pytest.raises(VideoError, match="Frame 50 was asked for, but the video has 50 frames"):
            source.read([3, 50])
        with pytest.raises(VideoError, match="first frame has the index 0"):
            source.read([-1])


# counting and seeking


def test_the_count_is_known_after_a_full_reading_but_not_after_a_part(folder, monkeypatch):
    path = media.video(folder / "count.mp4", 30)
    source = VideoFrames(path)
    next(source.chunks(chunk_frames=4))
    source.read([2])
    everything(source, stop=30)
    assert source.num_frames_hint == 30
    assert source.num_frames == 30

    source = VideoFrames(path)
    everything(source)
    monkeypatch.setattr(frames_module, "probe", lambda *_, **__: pytest.fail("decoded again"))
    assert source.num_frames == 30


def test_a_scanned_file_is_decoded_from_the_key_frame_before(clip, monkeypatch):
    source, expected = clip
    assert source.probe.key_frames.tolist() == [0, 12, 24, 36, 48]
    num_decoded = 0

    def counting(*arguments, decode=frames_module.decode):
        nonlocal num_decoded
        for frame in decode(*arguments):
            num_decoded += 1
            yield frame

    monkeypatch.setattr(frames_module, "decode", counting)
    np.testing.assert_array_equal(source.read([40]), expected[[40]])
    assert num_decoded <= 5
    num_decoded = 0
    np.testing.assert_array_equal(source.read([1, 38]), expected[[1, 38]])
    assert num_decoded <= 5


def test_a_file_whose_time_stamps_mislead_is_read_from_the_start(folder):
    path = media.b_frame_video(folder / "misled.mp4", 40)
    source, expected = VideoFrames(path), decoded(path)
    probe = source.scan()
    # as if sequential reading had given other stamps than reading after a jump does
    assert probe.pts is not None
    moved = probe.pts.copy()
    moved[26:] += 1
    source._probe = frames_module.VideoProbe(**{**vars(probe), "pts": moved})
    np.testing.assert_array_equal(everything(source, start=24), expected[24:])
    np.testing.assert_array_equal(source.read([30, 39]), expected[[30, 39]])


# broken files

BROKEN_FILES = {
    "overdeclared.mp4": lambda path: media.overdeclared_video(path, 30),
    "truncated.mp4": lambda path: media.truncated(path, media.faststart_video(path.with_stem("fast"), b_frames=3), 0.6),
    "truncated.mkv": lambda path: media.truncated(path, media.b_frame_video(path.with_stem("whole"))),
    "truncated.ts": lambda path: media.truncated(path, media.b_frame_video(path.with_stem("whole"))),
    "damaged.mp4": lambda path: media.damaged(path, media.b_frame_video(path.with_stem("whole"))),
    "damaged.mkv": lambda path: media.damaged(path, media.b_frame_video(path.with_stem("whole"))),
    "damaged.ts": lambda path: media.damaged(path, media.b_frame_video(path.with_stem("whole"))),
}


@pytest.mark.parametrize("name", BROKEN_FILES)
def test_broken_files_give_the_same_frames_every_time(tmp_path, name):
    source = VideoFrames(BROKEN_FILES[name](tmp_path / name))
    count = source.num_frames
    frames = everything(source)
    assert len(frames) == count > 5
    assert media.indices_in(frames[:3]) == [0, 1, 2]
    np.testing.assert_array_equal(everything(source, start=count // 2), frames[count // 2 :])
    np.testing.assert_array_equal(source.read([count - 1, 0]), frames[[-1, 0]])
    np.testing.assert_array_equal(np.concatenate(list(source.reversed_chunks(stop=count))), frames[::-1])


@pytest.mark.parametrize("name", ["overdeclared.mp4", "truncated.mp4", "damaged.mp4"])
@pytest.mark.parametrize("scan", [False, True])
def test_damage_is_told_after_reading(tmp_path, name, scan):
    source = VideoFrames(BROKEN_FILES[name](tmp_path / name))
    if scan:
        source.scan()
    everything(source)
    warnings = list(source.warnings)
    assert any("frames declared" in line for line in warnings)
    source.read([0])
    assert source.warnings == warnings
    assert all(isinstance(line, str) and line for line in warnings)


def test_damage_is_told_after_reading_a_part(tmp_path):
    source = VideoFrames(BROKEN_FILES["damaged.mp4"](tmp_path / "damaged.mp4"))
    everything(source, stop=4, chunk_frames=4)
    assert source.warnings == []
    everything(source, stop=30, chunk_frames=4)
    assert source.warnings


def test_good_frames_around_damage_survive(tmp_path):
    """Decoding several frames at once would lose some of those before the cut."""
    path = BROKEN_FILES["truncated.mp4"](tmp_path / "truncated.mp4")
    source = VideoFrames(path)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        one_by_one = 0
        for packet in container.demux(stream):
            try:
                one_by_one += len(packet.decode())
            except FFmpegError:
                continue
    assert source.num_frames == one_by_one


# arrays and samplings


def test_arrays_behave_like_videos(clip):
    video, expected = clip
    array = ArrayFrames(expected, fps=10)
    assert (array.size_px, array.num_frames, array.num_frames_hint) == (video.size_px, 50, 50)
    assert array.fps == video.fps
    for options in ({}, {"start": 7, "stop": 31, "chunk_frames": 5}, {"start": 60}, {"stop": 0}):
        ours, theirs = list(array.chunks(**options)), list(video.chunks(**options))
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(array.read([9, 2, 9]), video.read([9, 2, 9]))
    for a, b in zip(array.reversed_chunks(stop=20), video.reversed_chunks(stop=20), strict=True):
        np.testing.assert_array_equal(a, b)


def test_chunks_of_an_array_are_copies(clip):
    expected = clip[1].copy()
    chunk = next(ArrayFrames(expected).chunks())
    chunk[:] = 0
    np.testing.assert_array_equal(expected, clip[1])


@pytest.mark.parametrize(
    "array", [np.zeros((2, 4, 5, 3)), np.zeros((2, 4, 5), np.uint8), np.zeros((0, 4, 5, 3), np.uint8)]
)
def test_other_arrays_are_refused(array):
    with pytest.raises(ShapeError, match=r"Expected uint8 \(T, H, W, 3\)"):
        as_frame_source(array)


def test_a_frame_source_is_returned_as_it_is(clip):
    assert as_frame_source(clip[0]) is clip[0]


@pytest.mark.parametrize("from_file", [False, True])
def test_sampled_frames_are_renumbered(clip, from_file):
    video, expected = clip
    indices = np.array([2, 3, 17, 30, 31, 49])
    sampled = SampledFrames(video if from_file else ArrayFrames(expected, fps=10), pt.FrameMap(indices, 50))
    assert (sampled.num_frames, sampled.size_px) == (6, video.size_px)
    assert sampled.fps == pytest.approx(10 * 6 / 50)
    np.testing.assert_array_equal(everything(sampled, chunk_frames=4), expected[indices])
    np.testing.assert_array_equal(everything(sampled, start=2, stop=5), expected[indices[2:5]])
    np.testing.assert_array_equal(sampled.read([5, 0, 5]), expected[indices[[5, 0, 5]]])
    np.testing.assert_array_equal(np.concatenate(list(sampled.reversed_chunks(stop=6))), expected[indices[::-1]])
    with pytest.raises(VideoError, match="Frame 6 was asked for, but the video has 6 frames"):
        sampled.read([6])
    half = everything(sampled, size_px=(80, 60))
    assert media.indices_in(half) == indices.tolist()


def test_sampling_nothing_gives_nothing(clip):
    sampled = SampledFrames(clip[0], pt.FrameMap(np.array([]), 50))
    assert list(sampled.chunks()) == []
    assert sampled.num_frames == 0


# memory


@pytest.mark.parametrize("backwards", [False, True])
def test_no_more_than_a_chunk_is_held(tmp_path, backwards):
    """numpy reports its buffers to tracemalloc; a chunk handed on and the one being filled make two."""
    path = media.video(tmp_path / "clip.mp4", 64, size=(320, 240))
    source = VideoFrames(path)
    source.scan()
    frame_bytes = 320 * 240 * 3
    tracemalloc.start()
    try:
        reading = source.reversed_chunks(stop=64, chunk_frames=4) if backwards else source.chunks(chunk_frames=4)
        assert sum(len(chunk) for chunk in reading) == 64
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * 4 * frame_bytes + 2 * frame_bytes
