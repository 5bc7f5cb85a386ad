"""What ``nbgrader zip_collect`` makes of Canvas's and Moodle's downloads. nbgrader loads this; nothing else does."""

import re
from pathlib import Path

from nbgrader.plugins import FileNameCollectorPlugin

from vae_course.course.classroom import platforms
from vae_course.course.lessons import NAMES

LESSON = re.compile("|".join(NAMES))


class Downloads(FileNameCollectorPlugin):  # type: ignore[misc]
    """Collects notebooks by the names that Canvas and Moodle give them; students keep the platform's number."""

    def collect(self, submitted_file: str) -> dict[str, str] | None:
        """Whose notebook of which lesson a downloaded file is; nothing for a file that is none."""
        name, identifier, _ = platforms.student(submitted_file)
        lesson = LESSON.search(Path(submitted_file).name)
        if lesson is None or not submitted_file.endswith(".ipynb"):
            return None
        return {"student_id": f"{name} ({identifier})" if identifier else name, "file_id": lesson[0]}
