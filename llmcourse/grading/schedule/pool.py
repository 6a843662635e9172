"""Work spread over any executor: a few jobs under way at a time, and a worker that dies costs one submission."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from llmcourse.grading.cache import Result
from llmcourse.grading.sandbox import SandboxUnavailable
from llmcourse.grading.schedule.work import Job, work

Open = Callable[[], AbstractContextManager[Executor]]
DIED = "The process that ran this submission died, twice: it may have taken all memory."


def local_pool(n_jobs: int) -> Open:
    """Processes of this machine. They are spawned, as a fork would copy locks that other threads hold."""

    def open_pool() -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(n_jobs, mp_context=context, initializer=_start_worker)

    return open_pool


def _start_worker() -> None:
    # a worker whose parent was killed would wait for work for ever
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)


def cluster(address: str, *, ca_file: Path | None = None, cert: Path | None = None, key: Path | None = None) -> Open:
    """Workers of a dask cluster, reached over TLS; a scheduler of this very machine may go without.

    Raises: ValueError for an address that would send submissions over a network in the clear.
    """
    secure = address.startswith("tls://")
    if not secure and not address.startswith(("tcp://127.0.0.1:", "tcp://[::1]:", "inproc://")):
        raise ValueError(
            f"Submissions and the class secret travel by TLS only: the scheduler must be tls://, not {address}."
        )
    if secure and not (ca_file and cert and key):
        raise ValueError(
            "A tls:// scheduler needs --tls-ca, --tls-cert and --tls-key, the files that it was started with."
        )

    @contextmanager
    def open_cluster() -> Iterator[Executor]:
        try:
            from distributed import Client
            from distributed.security import Security
        except ImportError:
            raise ValueError("A cluster needs the extra `cluster`: pip install 'llmcourse[cluster]'.") from None
        files = {"tls_ca_file": str(ca_file), "tls_client_cert": str(cert), "tls_client_key": str(key)}
        security = Security(require_encryption=True, **files) if secure else None
        with Client(address, security=security, set_as_default=False) as client:
            yield client.get_executor(pure=False)

    return open_cluster


def spread(jobs: Iterable[Job], open_executor: Open, width: int) -> Iterator[tuple[Job, Result]]:
    """Each job with its result, as they are done; at most `width` under way, so memory stays flat.

    Where a worker dies, what was under way runs again alone, one job after the other; one that kills its worker once
    more is told apart by that, and costs nobody else anything.
    """
    waiting = iter(jobs)
    suspects: list[Job] = []
    while True:
        with suppress(BrokenExecutor):
            yield from _until_broken(waiting, open_executor, width, suspects)
        for job in suspects:
            yield job, _alone(job, open_executor)
        if not suspects:
            return
        suspects.clear()


def _until_broken(
    waiting: Iterator[Job], open_executor: Open, width: int, suspects: list[Job]
) -> Iterator[tuple[Job, Result]]:
    """Results until all jobs are done, or until the executor breaks; then `suspects` are what was under way."""
    running: dict[Future[Result], Job] = {}
    with open_executor() as executor:
        try:
            while True:
                while len(running) < width and (job := next(waiting, None)) is not None:
                    suspects.append(job)
                    running[executor.submit(work, job)] = job
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    job = running[future]
                    result = _result_of(future)
                    suspects.remove(job)
                    del running[future]
                    yield job, result
        finally:
            for future in running:
                future.cancel()


def _result_of(future: Future[Result]) -> Result:
    try:
        return future.result()
    except (BrokenExecutor, SandboxUnavailable):
        raise
    except CancelledError:
        raise ConnectionError("The cluster is gone. What it finished is kept: run the command again.") from None
    except Exception as error:  # of the executor's own: a cluster gives up on a submission that kills its workers
        return Result(None, 0.0, " ".join(f"{type(error).__name__}: {error}".split())[:500])


def _alone(job: Job, open_executor: Open) -> Result:
    try:
        with open_executor() as executor:
            return executor.submit(work, job).result()
    except BrokenExecutor:
        return Result(None, 0.0, DIED)
