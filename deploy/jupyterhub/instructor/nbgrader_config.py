"""What an instructor's server needs to know: where the course lies, and where the exchange is."""

import os
from pathlib import Path

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "llmcourse"
c.CourseDirectory.root = str(Path.home() / "llmcourse")  # a clone of the course, whose own settings come on top
c.Exchange.root = os.environ["LLMCOURSE_EXCHANGE"]
