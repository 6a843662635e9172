import json

import pytest

from llmcourse.commands.errors import CommandError
from llmcourse.commands.plot import draw, levels_of, read_metrics


def run(tmp_path, name: str, n: int = 40, **manifest):
    folder = tmp_path / name
    (folder / "model").mkdir(parents=True)
    fixed = {"lr": 0.1, "grad_norm": 1.0, "seconds": 0.1}
    rows = [{"step": i, "loss": 6 / i, "tokens": 9 * i, **fixed} for i in range(1, n)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "model" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


@pytest.fixture
def shown(monkeypatch):
    """What was drawn, as the drawing functions were told."""
    from llmcourse import plots

    calls = {}
    for name, draw_it in (("loss_curve", plots.loss_curve), ("lines", plots.lines)):

        def note(*data, real=draw_it, name=name, **options):
            calls[name] = (data, options)
            return real(*data, **options)

        monkeypatch.setattr(plots, name, note)
    return calls


def test_one_run_is_drawn_step_by_step_against_the_lines_that_its_model_notes(tmp_path, shown):
    folder = run(tmp_path, "mine", nats_per_token={"floor": 0.3, "5-gram model": 1.1})
    out = draw([folder], tmp_path / "mine.png")
    assert out.read_bytes().startswith(b"\x89PNG")
    (steps, losses), options = shown["loss_curve"]
    assert steps == list(range(1, 40))
    assert losses == [6 / i for i in range(1, 40)]
    assert options["floor"] == 0.3
    assert options["references"] == {"5-gram model": 1.1}


def test_several_runs_have_their_folders_names_and_a_floor_only_where_it_is_the_same(tmp_path, shown):
    same = [run(tmp_path, name, nats_per_token={"floor": 0.3}) for name in ("a", "b")]
    other = run(tmp_path, "c", nats_per_token={"floor": 0.4})
    assert draw(same, tmp_path / "two.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert list(shown["lines"][0][0]) == ["a", "b"]
    assert shown["lines"][1]["floor"] == 0.3
    draw([*same, other / "metrics.jsonl"], tmp_path / "three.svg", smooth=4)
    assert shown["lines"][1]["floor"] is None
    steps, means = shown["lines"][0][0]["c"]
    assert steps[0] == 4
    assert means[0] == pytest.approx(sum(6 / i for i in range(1, 5)) / 4)


def test_other_metrics_have_no_floor(tmp_path, shown):
    draw([run(tmp_path, "mine", nats_per_token={"floor": 0.3})], tmp_path / "lr.png", metric="lr")
    (_, values), options = shown["loss_curve"]
    assert values == [0.1] * 39
    assert options["floor"] is None
    assert options["y_label"] == "learning rate"


def test_a_run_that_is_not_finished_has_no_lines_yet(tmp_path):
    assert levels_of(tmp_path) == {}
    assert levels_of(run(tmp_path, "mine")) == {}


def test_what_cannot_be_drawn_gets_one_line(tmp_path):
    folder = run(tmp_path, "mine")
    with pytest.raises(CommandError, match=r"There is no .*gone: name the folder of a run"):
        draw([tmp_path / "gone"], tmp_path / "x.png")
    with pytest.raises(CommandError, match="--metric is one of loss, lr, grad_norm, seconds, not accuracy"):
        draw([folder], tmp_path / "x.png", metric="accuracy")
    with pytest.raises(ValueError, match=r"A picture ends in \.png or \.svg, not \.pdf: x\.pdf"):
        draw([folder], tmp_path / "x.pdf")
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"step": 40, "lo')
    with pytest.raises(CommandError, match=r"Line 40 of .*metrics\.jsonl is no record"):
        read_metrics(folder)
    (folder / "metrics.jsonl").write_text("")
    with pytest.raises(CommandError, match="holds no step yet"):
        read_metrics(folder)
    assert not list(tmp_path.glob("x.*"))
