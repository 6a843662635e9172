"""Grading a class: results computed in parallel, kept by content, and written to the gradebook by one writer."""

from llmcourse.grading.schedule.pool import cluster, local_pool, spread
from llmcourse.grading.schedule.run import Summary, grade
from llmcourse.grading.schedule.settings import Settings, read_settings
from llmcourse.grading.schedule.work import Job

__all__ = ["Job", "Settings", "Summary", "cluster", "grade", "local_pool", "read_settings", "spread"]
