"""What honest work needs, and a locked child must still be able to do."""

import os
import signal
import tempfile
import time
from pathlib import Path

from tests.grading.sandbox.register import Facts, needed


@needed
def compute_with_torch(facts: Facts) -> object:
    import torch

    layer = torch.nn.Linear(8, 8)
    layer(torch.randn(4, 8)).softmax(-1).square().sum().backward()
    return layer.weight.grad is not None


@needed
def compute_with_two_threads(facts: Facts) -> object:
    import torch

    torch.set_num_threads(2)
    product = torch.ones(600, 600) @ torch.ones(600, 600)
    torch.set_num_threads(1)
    return product[0, 0] == 600


@needed
def draw_random_numbers(facts: Facts) -> object:
    import torch

    same = torch.rand(3, generator=torch.Generator().manual_seed(1)).tolist()
    return same == torch.rand(3, generator=torch.Generator().manual_seed(1)).tolist() and os.urandom(4)


@needed
def compute_with_numpy(facts: Facts) -> object:
    import numpy as np

    return np.linalg.svd(np.eye(50))[1].sum() == 50


@needed
def draw_a_figure(facts: Facts) -> object:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([1, 2, 1])
    axes.set_title("A title")
    figure.savefig("figure.png")
    plt.close(figure)
    return Path("figure.png").stat().st_size > 1000


@needed
def keep_a_file(facts: Facts) -> object:
    Path("kept").mkdir()
    (Path("kept") / "note.txt").write_text("mine", encoding="utf-8")
    (Path("kept") / "note.txt").rename("note.txt")
    return Path("note.txt").read_text(encoding="utf-8") == "mine"


@needed
def keep_a_temporary_file(facts: Facts) -> object:
    with tempfile.NamedTemporaryFile() as file, tempfile.TemporaryDirectory() as folder:
        file.write(b"x")
        return Path(folder).is_dir()


@needed
def save_and_load_weights(facts: Facts) -> object:
    import torch

    torch.save({"weight": torch.ones(3)}, "weights.pt")
    return torch.load("weights.pt")["weight"].sum() == 3


@needed
def run_threads(facts: Facts) -> object:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(abs, [-1, -2])) == 3


@needed
def run_an_event_loop(facts: Facts) -> object:
    import asyncio

    return asyncio.run(asyncio.sleep(0.01, True))


@needed
def import_another_library(facts: Facts) -> object:
    import colorsys
    import sqlite3

    return colorsys and sqlite3.connect(":memory:").execute("select 1").fetchone() == (1,)


@needed
def import_the_package(facts: Facts) -> object:
    from llmcourse.hub import bundled

    return bundled().tokenizer.encode("a")


@needed
def show_a_progress_bar(facts: Facts) -> object:
    import io

    from tqdm import tqdm

    return list(tqdm([1, 2], file=io.StringIO()))


@needed
def stop_itself_with_an_alarm(facts: Facts) -> object:
    rang: list[int] = []
    signal.signal(signal.SIGALRM, lambda number, frame: rang.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    time.sleep(0.2)
    return rang


@needed
def signal_itself(facts: Facts) -> object:
    rang: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, frame: rang.append(number))
    os.kill(os.getpid(), signal.SIGUSR1)
    return rang
