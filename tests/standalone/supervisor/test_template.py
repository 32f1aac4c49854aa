"""The template that is forked from the server: what it takes over, what it survives, and how it ends."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).parent
SERVER = """
    import asyncio, os, signal, sys
    from pathlib import Path
    from spacetimedb_standalone.supervisor.launch import ForkLauncher
    from spacetimedb_standalone.supervisor.supervisor import Supervisor, SupervisorSettings
    from spacetimedb_standalone.supervisor.template import fork_template
    from test_supervisor import QUICK, boot, until

    async def serve(launcher, place):
        supervisor = Supervisor(launcher, QUICK)
        supervisor.start()
        {work}
        await supervisor.close(1.0)

    forked = fork_template("stub_worker:run")
    asyncio.run(serve(ForkLauncher("stub_worker:run", forked), Path(sys.argv[1])))
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        print("no child is left")
"""


def run(work: str, place: Path) -> list[str]:
    """The lines that a server prints whose template is a copy of it."""
    body = textwrap.indent(textwrap.dedent(work), " " * 4).strip()
    path = os.pathsep.join([str(HERE), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SERVER).format(work=body), str(place)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_it_rehearses_forks_workers_and_is_gone_with_the_server(tmp_path: Path) -> None:
    lines = run(
        """
        worker = await supervisor.worker(boot(place))
        print(os.getpid() != worker.pid != forked.pid)
        print(f"PPid:\\t{forked.pid}" in Path(f"/proc/{worker.pid}/status").read_text())
        print((place / "1" / "lives").read_text() == f"False {worker.pid} {forked.pid}\\n")
        """,
        tmp_path,
    )
    assert lines == ["True", "True", "True", "no child is left"]


def test_after_its_death_another_one_is_started(tmp_path: Path) -> None:
    lines = run(
        """
        first = await supervisor.worker(boot(place))
        os.kill(forked.pid, signal.SIGKILL)
        await first.ended
        second = await supervisor.worker(boot(place))
        print(first.pid != second.pid)
        """,
        tmp_path,
    )
    assert lines == ["True", "no child is left"]


def test_a_template_that_does_not_see_its_end_is_killed(
    tmp_path: Path,
) -> None:
    lines = run(
        """
        import spacetimedb_standalone.supervisor.launch as launch
        launch._STOP_GRACE = 0.1
        await supervisor.worker(boot(place))
        await supervisor.stop(1, "shutdown", 1.0)
        os.kill(forked.pid, signal.SIGSTOP)
        """,
        tmp_path,
    )
    assert lines == ["no child is left"]
