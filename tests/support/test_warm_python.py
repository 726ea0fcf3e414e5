from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from . import warm_python


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return warm_python.run(["-c", code], environment=environment)


def test_a_program_ends_with_its_status_and_what_it_said() -> None:
    done = run("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_an_error_ends_it_as_it_does_elsewhere() -> None:
    done = run("1 / 0")
    assert done.returncode == 1
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_it_has_the_libraries_and_nothing_of_the_product_or_the_tests() -> None:
    own = "[name for name in sys.modules if name.partition('.')[0] in ('asrsite', 'recognition', 'pytest')]"
    assert run(f"import sys; print('redis' in sys.modules, {own})").stdout == "True []\n"


def test_its_environment_is_what_it_is_given() -> None:
    assert run("import os; print(dict(os.environ))", ONLY="this").stdout == "{'ONLY': 'this'}\n"


def test_what_python_imports_at_its_start_it_imports(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('begins')")
    assert run("print('goes on')", PYTHONPATH=str(tmp_path)).stdout == "begins\ngoes on\n"


def test_a_module_has_its_arguments() -> None:
    done = warm_python.run(["-m", "json.tool", "--help"], environment={})
    assert done.returncode == 0
    assert "json" in done.stdout


def test_what_is_to_be_done_at_the_end_is_done() -> None:
    assert run("import atexit; atexit.register(print, 'at the end')").stdout == "at the end\n"


def test_one_that_takes_too_long_is_ended() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        warm_python.run(["-c", "import time; time.sleep(60)"], environment={}, timeout_s=0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_ends_it_and_is_told(tmp_path: Path, number: signal.Signals) -> None:
    code = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_DFL); print(1); time.sleep(60)"
    with (tmp_path / "out").open("wb") as out:
        process = warm_python.start(
            ["-c", code], environment={"PYTHONUNBUFFERED": "1"}, stdout=out, stderr=out
        )
        assert process.poll() is None
        while not (tmp_path / "out").read_text():
            time.sleep(0.01)
        process.send_signal(number)
    assert process.wait(30) == process.poll() == -number
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
