"""Write grades for a learning platform."""

from pathlib import Path


def export_grades(
    start: Path, assignment: str, to: str, *, file: Path | None, out: Path | None, column: str | None
) -> None:
    """Fill the platform's file, or write a plain table, and print what a person must know before the upload.

    Raises: ValueError for a platform's file that is missing, or is none.
    """
    from llmcourse.grading.export import fill_canvas, fill_moodle, read_scores, write_plain
    from llmcourse.grading.schedule import read_settings
    from llmcourse.grading.schedule.settings import course_folder

    settings = read_settings(course_folder(start.resolve()))
    scores = read_scores(settings.database, assignment, settings.coursedir.course_id)
    if to == "csv":
        out = out or Path(f"{assignment}-grades.csv")
        filled = write_plain(out, assignment, scores)
    else:
        if file is None:
            what = "gradebook" if to == "canvas" else "grading worksheet"
            raise ValueError(f"--to {to} fills the {what} that you downloaded: name it with --file.")
        out = out or file.with_name(f"{file.stem}-filled{file.suffix}")
        filled = fill_canvas(file, assignment, scores, column) if to == "canvas" else fill_moodle(file, scores)
        filled.write(out)
    for line in filled.report():
        print(line)
    print(f"{filled.written} grades are in {out}.")
