"""What runs note on samples, in a group of its own in the App's sidebar, closed at first."""

from __future__ import annotations

from collections.abc import Iterable

import fiftyone as fo
from fiftyone.core.odm import SidebarGroupDocument

from ...store.database.connection import changing_document
from ...store.database.fields import owner_of

GROUP = "point tracking"


def group_notes(dataset: fo.Dataset) -> None:
    """Puts the fields with marks and scores into a group of the sidebar; what a person arranged there stays.

    A field that a person moved to another group stays in it. Our group goes with its last field.

    Args:
        dataset: the dataset
    """
    with changing_document:
        dataset.reload()  # the App stores what a person arranges by itself
        before = dataset.app_config.sidebar_groups
        names = [name for name, field in dataset.get_field_schema(flat=False).items() if owner_of(field) is not None]
        groups = _default_groups(dataset, names) if before is None else list(before)
        placed = [path for group in groups for path in group.paths]
        new = [name for name in names if not any(_is_of(path, [name]) for path in placed)]
        paths = [path for name in new for path in _shown_paths(dataset, name)]
        ours = next((group for group in groups if group.name == GROUP), None)
        if paths and ours is None:
            ours = SidebarGroupDocument(name=GROUP, paths=[], expanded=False)
            groups.append(ours)
        if ours is None or (not paths and ours.paths):
            return
        ours.paths = [*ours.paths, *paths]
        dataset.app_config.sidebar_groups = [group for group in groups if group is not ours or ours.paths]
        dataset.save()


def _default_groups(dataset: fo.Dataset, names: list[str]) -> list[SidebarGroupDocument]:
    """The App's own groups, where nobody arranged any so far, without our fields."""
    groups = fo.DatasetAppConfig.default_sidebar_groups(dataset)
    for group in groups:
        group.paths = [path for path in group.paths if not _is_of(path, names)]
    return [group for group in groups if group.paths or group.name not in names]


def _is_of(path: str, names: Iterable[str]) -> bool:
    """Whether a path is one of some fields, or within one."""
    return any(path == name or path.startswith(f"{name}.") for name in names)


def _shown_paths(dataset: fo.Dataset, name: str) -> list[str]:
    """The paths of a field that the App shows: those within an embedded document, else its own, as of a label."""
    if issubclass(getattr(dataset.get_field(name), "document_type", None) or object, fo.Label):
        return [name]
    inner = [path for path in dataset.get_field_schema(flat=True) if path.startswith(f"{name}.")]
    return inner or [name]
