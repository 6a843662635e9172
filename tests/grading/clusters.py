"""A small cluster for tests: two workers of dask.distributed on this machine, with TLS between all parts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from distributed import LocalCluster
from distributed.security import Security


@dataclass(frozen=True)
class Cluster:
    """Where the scheduler listens, and the keys of whoever may speak with it: as files, and as dask takes them."""

    address: str
    ca_file: Path
    cert: Path
    key: Path
    security: Security


@contextmanager
def two_workers(folder: Path) -> Iterator[Cluster]:
    """A cluster of two worker processes; its keys, made for it alone, are left in the folder."""
    security = Security.temporary()
    contents = (security.tls_ca_file, security.tls_client_cert, security.tls_client_key)
    files = [folder / f"{name}.pem" for name in ("ca", "cert", "key")]
    for path, content in zip(files, contents, strict=True):
        path.write_text(str(content), encoding="utf-8")
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, security=security, protocol="tls", dashboard_address=None
    ) as made:
        yield Cluster(made.scheduler_address, *files, security)
