"""A JupyterHub for one class on one server; the page "For instructors" says how to start it.

Students and instructors are users of the operating system, so each one's files are their own, and nbgrader's exchange
knows who handed in what by whose file it is. Instructors have the formgrader; students only fetch and hand in.
"""

import os
import stat
import sys
from pathlib import Path

c = get_config()  # noqa: F821

HERE = Path(__file__).resolve().parent
INSTRUCTORS = set(os.environ.get("LLMCOURSE_INSTRUCTORS", "teacher").split(","))
EXCHANGE = Path(os.environ.get("LLMCOURSE_EXCHANGE", "/srv/nbgrader/exchange"))

# anybody may add a file to the exchange, and nbgrader makes each one so that only its owner and the instructor read it
EXCHANGE.mkdir(parents=True, exist_ok=True)
EXCHANGE.chmod(stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)

c.JupyterHub.bind_url = os.environ.get("LLMCOURSE_HUB", "http://127.0.0.1:8000")
c.Authenticator.allow_all = True  # whoever has an account on this server
c.Authenticator.admin_users = INSTRUCTORS

# the environment that has jupyterhub has the course too: each user's server is this Python's
programs = Path(sys.executable).parent
c.ConfigurableHTTPProxy.command = [str(programs / "configurable-http-proxy")]
c.Spawner.cmd = [str(programs / "jupyterhub-singleuser")]
c.Spawner.default_url = "/lab"
c.Spawner.notebook_dir = "~"
c.Spawner.http_timeout = c.Spawner.start_timeout = 120
c.Spawner.environment = {
    "PATH": os.pathsep.join([str(programs), "/usr/local/bin", "/usr/bin", "/bin"]),
    "LLMCOURSE_EXCHANGE": str(EXCHANGE),
    "OMP_NUM_THREADS": "1",  # many share the server: one that takes all threads slows down everybody
}


async def choose_role(spawner):
    """Give the settings of an instructor, or those of a student."""
    role = "instructor" if spawner.user.name in INSTRUCTORS else "student"
    spawner.environment = {**spawner.environment, "JUPYTER_CONFIG_PATH": str(HERE / role)}


c.Spawner.pre_spawn_hook = choose_role
