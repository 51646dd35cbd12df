"""What is told of a published file."""

from __future__ import annotations

from point_tracking.tracker.models.published_weights.files import HubSource, WebSource, WeightsFile


def file(source, **more) -> WeightsFile:
    return WeightsFile("family", source, 12.5, "MIT", "https://example.org/mit", True, **more)


def test_sources_say_where_a_file_is():
    model = HubSource("owner/name", "folder/weights.pth")
    assert model.page == "https://huggingface.co/owner/name"
    assert model.url == "https://huggingface.co/owner/name/resolve/main/folder/weights.pth"
    dataset = HubSource("owner/name", "weights.ckpt", kind="dataset", revision="abc")
    assert dataset.url == "https://huggingface.co/datasets/owner/name/resolve/abc/weights.ckpt"


def test_files_are_kept_under_their_published_names_or_another():
    assert file(HubSource("owner/name", "folder/weights.pth")).filename == "weights.pth"
    assert file(WebSource("https://example.org/a/model-1.pt")).filename == "model-1.pt"
    assert file(WebSource("https://example.org/a/model-1.pt"), name="pips.pt").filename == "pips.pt"


def test_the_description_names_the_file_its_place_its_size_and_its_terms():
    text = file(WebSource("https://example.org/w.pt"), notes="Trained on X (non-commercial)").description
    for part in ("w.pt", "https://example.org", "12.5 MB", "MIT", "https://example.org/mit", "commercial use allowed"):
        assert part in text
    assert text.endswith(". Trained on X (non-commercial)")


def test_a_licence_that_nobody_states_is_told():
    unstated = WeightsFile("family", WebSource("https://example.org/w.pt"), 1, None, "https://example.org", None)
    assert unstated.spdx == "LicenseRef-not-stated"
    assert "without a licence stated by its authors" in unstated.description
    assert "ask them" in unstated.description
