"""Draw the losses of one run or several."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from llmcourse.commands.errors import CommandError

METRICS = "metrics.jsonl"
LABELS = {
    "loss": "loss (nats per token)",
    "lr": "learning rate",
    "grad_norm": "length of the gradient",
    "seconds": "seconds per step",
}
Rows = list[dict[str, float]]


def plot(
    runs: Annotated[list[Path], Argument(help="Folders of runs, or their metrics.jsonl files.")],
    out: Annotated[Path, Option(help="The picture: a .png or .svg file.")] = Path("loss.png"),
    metric: Annotated[str, Option(help="What to draw: loss, lr, grad_norm or seconds.")] = "loss",
    smooth: Annotated[
        int | None, Option(min=1, help="Average over that many steps; else a fiftieth of the run.")
    ] = None,
) -> None:
    """Draw the losses of one run or several into a picture, against the floor where it is known."""
    print(f"The picture is {draw(runs, out, metric, smooth)}.")


def draw(runs: Sequence[Path], out: Path, metric: str = "loss", smooth: int | None = None) -> Path:
    """Writes the picture and gives its path back.

    Raises: CommandError for an unknown metric, a run without metrics or a damaged line; ValueError for another ending.
    """
    from llmcourse.plots import lines, loss_curve
    from llmcourse.plots.curves import running_mean
    from llmcourse.plots.style import save_picture

    if metric not in LABELS:
        raise CommandError(f"--metric is one of {', '.join(LABELS)}, not {metric}.")
    curves = {name: read_metrics(path) for name, path in _names(runs).items()}
    known = levels_of(runs[0]) if metric == "loss" and len({str(levels_of(run)) for run in runs}) == 1 else {}
    floor = known.pop("floor", None)
    widths = {name: smooth or max(1, len(rows) // 50) for name, rows in curves.items()}
    if len(curves) == 1:
        ((name, rows),) = curves.items()
        steps, values = [row["step"] for row in rows], [row[metric] for row in rows]
        width = min(widths[name], len(rows))
        drawn = loss_curve(steps, values, floor=floor, references=known, smooth=width, y_label=LABELS[metric])
    else:
        series = {}
        for name, rows in curves.items():
            width = min(widths[name], len(rows))
            series[name] = ([row["step"] for row in rows[width - 1 :]], running_mean([r[metric] for r in rows], width))
        drawn = lines(series, x_label="training step", y_label=LABELS[metric], floor=floor)
    return save_picture(drawn, out)


def read_metrics(path: Path) -> Rows:
    """The records of a run, one for each step. Raises: CommandError that names the file and the line at fault."""
    path = path / METRICS if path.is_dir() else path
    if not path.is_file():
        raise CommandError(f"There is no {path}: name the folder of a run, or its {METRICS}.")
    rows: Rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        try:
            row = json.loads(line)
            rows.append({name: float(row[name]) for name in ("step", *LABELS)})
        except (ValueError, KeyError, TypeError):
            raise CommandError(f"Line {number} of {path} is no record of a training run.") from None
    if not rows:
        raise CommandError(f"{path} holds no step yet.")
    return rows


def levels_of(run: Path) -> dict[str, float]:
    """The floor and other level lines that a finished run has noted in its model's manifest."""
    folder = run if run.is_dir() else run.parent
    try:
        manifest: Any = json.loads((folder / "model" / "manifest.json").read_text(encoding="utf-8"))
        return dict(manifest["nats_per_token"])
    except (OSError, ValueError, KeyError, TypeError):  # not finished, or made by other means: there are no lines
        return {}


def _names(runs: Sequence[Path]) -> dict[str, Path]:
    """Each run by its folder's name, or by its whole path where two have the same one."""
    short = [(run if run.is_dir() else run.parent).resolve().name for run in runs]
    return {name if short.count(name) == 1 else str(run): run for name, run in zip(short, runs, strict=True)}
