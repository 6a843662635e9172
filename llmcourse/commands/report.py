"""Write the report of an assignment."""

from pathlib import Path


def write_report(start: Path, assignment: str, out: Path | None) -> None:
    """Write one HTML file about the assignment, and say where it is."""
    from llmcourse.data.files import atomic_path
    from llmcourse.grading.report import page, read_facts
    from llmcourse.grading.schedule import read_settings
    from llmcourse.grading.schedule.settings import course_folder

    settings = read_settings(course_folder(start.resolve()))
    text = page(read_facts(settings, assignment))
    out = out or Path(f"{assignment}-report.html")
    with atomic_path(out) as scratch:
        scratch.write_text(text, encoding="utf-8")
    print(f"The report is in {out}. It names students: keep it to yourself.")
