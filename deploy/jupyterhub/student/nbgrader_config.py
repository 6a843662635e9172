"""What a student's server needs to know: which course, and where the exchange is."""

import os

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "llmcourse"
c.Exchange.root = os.environ["LLMCOURSE_EXCHANGE"]
c.Exchange.path_includes_course = False
