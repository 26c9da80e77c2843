"""A supervisor with small children, started by ``test_up.py`` as a process of its own.

Every process says its name and id into the pipe it inherited. The pipe's reader sees the end of the file only when the
last of them is gone.
"""

import os
import sys

from backend.cli.supervisor import Program, Supervisor

STEADY = "signal.pause()"
STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN); say('deaf'); [signal.pause() for _ in iter(int, 1)]"
CRASHING = "sys.exit(3)"
PARENT = (
    "subprocess.Popen([sys.executable, '-c', sys.argv[3], 'grandchild', str(pipe), 'signal.pause()'],"
    " pass_fds=[pipe], start_new_session=True); signal.pause()"
)
BODIES = {"steady": STEADY, "stubborn": STUBBORN, "crashing": CRASHING, "parent": PARENT}
PROLOGUE = (
    "import os, signal, subprocess, sys\n"
    "name, pipe = sys.argv[1], int(sys.argv[2])\n"
    "def say(word): os.write(pipe, f'{word} {os.getpid()}\\n'.encode())\n"
    "say(name)\n"
)
GRANDCHILD = PROLOGUE + "signal.pause()\n"


def main(pipe: int, grace_seconds: float, names: list[str]) -> None:
    """Supervise one child per name until a signal comes."""

    def say(line: str) -> None:
        os.write(pipe, f"said {line.splitlines()[0]}\n".encode())

    programs = [
        Program(
            name=name,
            command=[sys.executable, "-c", PROLOGUE + BODIES[name], name, str(pipe), GRANDCHILD],
            pass_fds=(pipe,),
        )
        for name in names
    ]
    Supervisor(programs, grace_seconds=grace_seconds, say=say).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
