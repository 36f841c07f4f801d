# A Python program that is started many times: it is imported once, and each start is a fork of
# that process, which goes on as the interpreter would. Python reads this file before the program
# when PYTHONPATH names its folder. Driven by forked-program.ts, a JSON object a line both ways.

import gc
import json
import os
import select
import signal
import sys


def warm(script, starts):
    """Runs the program here, for what it imports; its output goes nowhere."""
    import runpy

    kept = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    for arguments in starts:
        sys.argv = [script, *arguments]
        try:
            runpy.run_path(script, run_name="__main__")
        except SystemExit:
            pass
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(kept[0], 1)
    os.dup2(kept[1], 2)
    for each in (nowhere, *kept):
        os.close(each)


def become(start, script):
    """What a fork is before the program runs in it."""
    for name, fd in (("stdout", 1), ("stderr", 2)):
        file = os.open(start[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, fd)
        os.close(file)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.environ.clear()
    os.environ.update(start["env"])
    os.chdir(start["cwd"])
    sys.argv = [script, *start["args"]]


def run_as_main(script):
    """Runs the program and ends with its code, as the interpreter would but for taking its objects apart."""
    import atexit
    import runpy
    import threading

    code = 0
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        code = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit((code or 0) & 0xFF)


def serve():
    """Never returns."""
    order = json.loads(os.environ.pop("IDDIO_TEST_FORKS"))
    inherited = os.environ.pop("IDDIO_TEST_PYTHONPATH", None)
    os.environ.pop("PYTHONPATH")
    # Said for this file alone, whose folder belongs to the project.
    os.environ.pop("PYTHONDONTWRITEBYTECODE")
    sys.dont_write_bytecode = False
    if inherited:
        os.environ["PYTHONPATH"] = inherited
    sys.path[:] = [each for each in sys.path if each != os.path.dirname(__file__)]
    # The wrapper of a program may add arguments before the script's name, but none behind it.
    script = sys.orig_argv[-1]
    warm(script, order["warm"])
    # A fork is short: it need not look for rubbish, least of all in what it has from here.
    gc.collect()
    gc.freeze()
    gc.disable()
    # Variables that a wrapper of the program set, or the program as it was imported, stay for every start.
    own = {name: value for name, value in os.environ.items() if name not in order["given"]}
    answers = os.dup(1)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    os.set_blocking(wake_read, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write)
    running = {}

    def say(answer):
        os.write(answers, (json.dumps(answer) + "\n").encode())

    say({"ready": True})
    pending = b""
    while True:
        readable, _, _ = select.select([0, wake_read], [], [])
        if wake_read in readable:
            os.read(wake_read, 4096)
            while running:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                say({"id": running.pop(pid), "code": os.waitstatus_to_exitcode(status)})
        if 0 not in readable:
            continue
        bytes = os.read(0, 65536)
        if not bytes:
            for pid in running:
                os.kill(pid, signal.SIGKILL)
            os._exit(0)
        *lines, pending = (pending + bytes).split(b"\n")
        for line in lines:
            start = json.loads(line)
            if "kill" in start:
                for pid in [pid for pid, id in running.items() if id == start["kill"]]:
                    os.kill(pid, signal.SIGKILL)
                continue
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for each in (answers, wake_read, wake_write):
                    os.close(each)
                become({**start, "env": {**own, **start["env"]}}, script)
                run_as_main(script)
            running[pid] = start["id"]


if "IDDIO_TEST_FORKS" in os.environ:
    serve()
