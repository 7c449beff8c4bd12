"""Each artefact of the gateway is installed where nothing else is, and delivers spans.

Needs root, for chroot; qemu-user-static for the other architecture; dpkg for the Debian package.
"""

import gzip
import os
import shutil
import subprocess
import tarfile
import venv
from pathlib import Path

import pytest

from install.measure import Measured, Stopwatch, deliver, size_mib

_LARGEST_MIB = 30
_ARCHITECTURES = ["x86_64"]


def _in_chroot(root: Path, program: str, emulator: str | None) -> list[str]:
    """The command that runs a program of a folder as if nothing else existed."""
    (root / "tmp").mkdir(exist_ok=True)
    if emulator is None:
        return ["/usr/sbin/chroot", str(root), program]
    found = shutil.which(emulator)
    assert found, f"{emulator} is missing; Debian: apt-get install qemu-user-static"
    shutil.copy(found, root / "emulator")
    return ["/usr/sbin/chroot", str(root), "/emulator", program]


@pytest.mark.parametrize("target", _ARCHITECTURES)
def test_the_archives_static_binary_runs_in_a_folder_that_holds_nothing_else(
    target: str, architecture: str, artefact, report: dict[str, Measured], tmp_path: Path
) -> None:
    archive = artefact(f"openinference-mlflow-*-{target}-unknown-linux-musl.tar.gz")
    watch = Stopwatch()
    with tarfile.open(archive) as files:
        files.extractall(tmp_path / "files", filter="data")
    (files,) = (tmp_path / "files").iterdir()
    root = tmp_path / "root"
    root.mkdir()
    shutil.copy(files / "openinference-mlflow", root)
    command = _in_chroot(root, "/openinference-mlflow", None if target == architecture else f"qemu-{target}-static")
    idle = deliver(command, tmp_path, root / "data", seen_as="/data")
    seconds = watch.seconds()

    assert (root / "openinference-mlflow").stat().st_size < _LARGEST_MIB << 20
    assert gzip.decompress((files / "man/openinference-mlflow-serve.1.gz").read_bytes()).startswith(b".ie")
    assert {each.name for each in (files / "completions").iterdir()} == {
        f"openinference-mlflow.{shell}" for shell in ("bash", "zsh", "fish")
    }
    emulated = "" if target == architecture else ", emulated"
    report[f"binary, {target}{emulated}"] = Measured(
        size_mib(archive), size_mib(root / "openinference-mlflow"), seconds, round(idle, 1)
    )


def test_the_debian_package_installs_and_delivers(
    architecture: str, artefact, report: dict[str, Measured], tmp_path: Path
) -> None:
    package = artefact(f"openinference-mlflow_*_{'amd64' if architecture == 'x86_64' else 'arm64'}.deb")
    root = tmp_path / "root"
    for folder in ("info", "updates"):
        (root / "var/lib/dpkg" / folder).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    watch = Stopwatch()
    subprocess.run(["dpkg", f"--root={root}", "--install", str(package)], check=True, capture_output=True, timeout=60)
    command = _in_chroot(root, "/usr/bin/openinference-mlflow", None)
    idle = deliver(command, tmp_path, root / "data", seen_as="/data")
    seconds = watch.seconds()

    unit = (root / "usr/lib/systemd/system/openinference-mlflow.service").read_text()
    assert "ExecStart=/usr/bin/openinference-mlflow serve" in unit
    assert (root / "usr/share/man/man1/openinference-mlflow.1.gz").is_file()
    assert (root / "usr/share/bash-completion/completions/openinference-mlflow").is_file()
    report["Debian package"] = Measured(size_mib(package), size_mib(root / "usr"), seconds, round(idle, 1))


def test_the_wheel_puts_the_binary_among_pythons_commands(
    architecture: str, artefact, report: dict[str, Measured], tmp_path: Path
) -> None:
    wheel = artefact(f"openinference_mlflow_gateway-*{architecture}.whl")
    environment = tmp_path / "environment"
    watch = Stopwatch()
    venv.create(environment, with_pip=True)
    pip = [str(environment / "bin/pip"), "install", "--quiet", "--no-index", "--disable-pip-version-check", str(wheel)]
    subprocess.run(pip, check=True, capture_output=True, timeout=120)
    binary = environment / "bin/openinference-mlflow"
    idle = deliver([str(binary)], tmp_path, tmp_path / "data", seen_as=str(tmp_path / "data"))
    report["wheel of the gateway"] = Measured(size_mib(wheel), size_mib(binary), watch.seconds(), round(idle, 1))


def test_the_image_starts_delivers_and_is_healthy(
    architecture: str, artefact, report: dict[str, Measured], tmp_path: Path
) -> None:
    archive = artefact(f"openinference-mlflow-*-{architecture}.oci.tar")
    watch = Stopwatch()
    storage = {"STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}

    def buildah(*arguments: str) -> str:
        answer = subprocess.run(
            ["buildah", *arguments], env=storage, capture_output=True, text=True, timeout=120, check=False
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout.strip()

    container = buildah("from", "--quiet", f"oci-archive:{archive}")
    try:
        root = Path(buildah("mount", container))
        data = tmp_path / "volume"
        data.mkdir()
        os.chown(data, 65532, 65532)
        volume = f"--volume={data}:/var/lib/openinference-mlflow"
        entry = ["buildah", "run", volume, container, "--", "/usr/local/bin/openinference-mlflow"]
        idle = deliver(entry, tmp_path, data, seen_as="/var/lib/openinference-mlflow", environment=storage)
        (trace,) = data.glob("traces/*/tr-*.json")
        assert trace.stat().st_uid == 65532
        assert "/usr/local/bin/openinference-mlflow" in buildah("inspect", "--format", "{{.OCIv1.Config.Entrypoint}}", container)
        size = size_mib(root)
    finally:
        buildah("rm", container)
    report["OCI image"] = Measured(size_mib(archive), size, watch.seconds(), round(idle, 1))
