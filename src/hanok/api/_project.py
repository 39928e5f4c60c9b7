"""The project that a path names."""

from __future__ import annotations

import re

from hanok.api._call import Call
from hanok.model.errors import Invalid

_PROJECT = re.compile(r"[0-9a-f]{32}")


def named_project(call: Call, refusal: str) -> str:
    """Return the id that stands for `project` in the path; the project may have nothing yet.

    Raises Invalid for what is no project's id, and shows that at `{}` in `refusal`.
    """
    project_id = call.params["project"]
    if not _PROJECT.fullmatch(project_id):
        raise Invalid(refusal.format(project_id))
    return project_id
