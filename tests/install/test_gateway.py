"""Each artefact of the gateway is installed where nothing else is, as docs/install.md says, and delivers to a real MLflow.

Needs root, for chroot; qemu-user-static for the other architecture; dpkg for the Debian package; buildah for the image.
"""

import hashlib
import os
import shutil
import subprocess
import tarfile
import time
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.harness.environment import clean_environment
from e2e.harness.readback import Reader
from install import commands
from install.conftest import DIST, Find
from install.measure import Measured, deliver, size_mib

_LARGEST_MIB = 30
_NATIVE = "x86_64"
_FOREIGN = "aarch64"
_DEBIAN = {"x86_64": "amd64", "aarch64": "arm64"}
# Of ELF: the kinds of the program header that names a dynamic linker and of the section of symbols; the numbers of machines.
_NAMES_A_LINKER = 3
_SYMBOLS = 2
_ELF_MACHINES = {"x86_64": 62, "aarch64": 183}

_built_for_both = pytest.mark.skipif(
    not list(DIST.glob(f"openinference-mlflow-*-{_FOREIGN}-*.tar.gz")),
    reason=f'dist/ has no {_FOREIGN}; run: make dist ARCHITECTURES="{_NATIVE} {_FOREIGN}"',
)
_ARCHITECTURES = [_NATIVE, pytest.param(_FOREIGN, marks=_built_for_both)]


@pytest.fixture(autouse=True)
def _on_the_machine_of_the_page(architecture: str) -> None:
    if architecture != _NATIVE:
        pytest.skip(f"docs/install.md is for {_NATIVE}, this machine is {architecture}")


def _in_chroot(root: Path, program: str, emulator: str | None = None) -> list[str]:
    """The command that runs a program of a folder as if nothing else existed."""
    (root / "tmp").mkdir(exist_ok=True)
    if emulator is None:
        return ["/usr/sbin/chroot", str(root), program]
    found = shutil.which(emulator)
    if found is None:
        pytest.skip(f"{emulator} is missing; Debian: apt-get install qemu-user-static")
    shutil.copy(found, root / "emulator")
    return ["/usr/sbin/chroot", str(root), "/emulator", program]


def _run(command: str, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=clean_environment(**environment), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("architecture", _ARCHITECTURES)
def test_the_archives_static_binary_runs_in_a_folder_that_holds_nothing_else(
    architecture: str, downloads: Callable[[str], Path], mlflow: Reader, report: dict[str, Measured], tmp_path: Path
) -> None:
    command = commands.ARCHIVE.replace(_NATIVE, architecture)
    folder = downloads(command)
    (archive,) = folder.iterdir()
    start = time.monotonic()
    _run(command, folder)
    files = folder / archive.name.removesuffix(".tar.gz")
    root = tmp_path / "root"
    root.mkdir()
    shutil.copy(files / "openinference-mlflow", root)
    program = _in_chroot(root, "/openinference-mlflow", None if architecture == _NATIVE else f"qemu-{architecture}-static")
    arrived, idle = deliver(program, tmp_path, "/data", mlflow, f"archive {architecture}")

    binary = root / "openinference-mlflow"
    assert binary.stat().st_size < _LARGEST_MIB << 20
    assert _NAMES_A_LINKER not in _headers(binary, architecture, at=32, sizes=54, kind=0), "it is linked dynamically"
    assert _SYMBOLS not in _headers(binary, architecture, at=40, sizes=58, kind=4), "it is not stripped"
    emulated = "" if architecture == _NATIVE else ", emulated"
    report[f"archive, {architecture}{emulated}"] = Measured(size_mib(archive), size_mib(files), arrived - start, idle)


def _headers(binary: Path, architecture: str, *, at: int, sizes: int, kind: int) -> list[int]:
    """The kinds of an ELF file's program or section headers, whose table, sizes and kinds are at these offsets."""
    content = binary.read_bytes()

    def number(start: int, length: int) -> int:
        return int.from_bytes(content[start : start + length], "little")

    assert content[:4] == b"\x7fELF" and number(18, 2) == _ELF_MACHINES[architecture]
    first, size, count = number(at, 8), number(sizes, 2), number(sizes + 2, 2)
    assert count, "it has such headers"
    return [number(first + each * size + kind, 4) for each in range(count)]


@pytest.mark.parametrize("architecture", _ARCHITECTURES)
def test_the_binary_reads_from_kafka(architecture: str, artefact: Find, tmp_path: Path) -> None:
    """librdkafka is in it: a broker that is not there is one that it tried to reach."""
    with tarfile.open(artefact(f"openinference-mlflow-*-{architecture}-*.tar.gz")) as files:
        files.extractall(tmp_path, filter="data")
    (binary,) = tmp_path.glob("*/openinference-mlflow")
    root = tmp_path / "root"
    root.mkdir()
    shutil.copy(binary, root)
    program = _in_chroot(root, "/openinference-mlflow", None if architecture == _NATIVE else f"qemu-{architecture}-static")
    arguments = ["doctor", "--data-dir", "/data", "--kafka-brokers", "127.0.0.1:1", "--no-receivers"]
    done = subprocess.run([*program, *arguments], env={}, capture_output=True, text=True, timeout=120)
    assert "127.0.0.1:1" in done.stdout and "kafka" in done.stdout.lower(), done.stdout + done.stderr


def test_the_debian_package_installs_and_delivers(
    downloads: Callable[[str], Path], mlflow: Reader, report: dict[str, Measured], tmp_path: Path
) -> None:
    folder = downloads(commands.DEBIAN)
    (package,) = folder.iterdir()
    root = tmp_path / "root"
    for below in ("info", "updates"):
        (root / "var/lib/dpkg" / below).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    start = time.monotonic()
    _run(commands.DEBIAN.replace("dpkg", f"dpkg --root={root}"), folder)
    arrived, idle = deliver(_in_chroot(root, "/usr/bin/openinference-mlflow"), tmp_path, "/data", mlflow, "Debian package")

    unit = (root / "usr/lib/systemd/system/openinference-mlflow.service").read_text()
    assert "ExecStart=/usr/bin/openinference-mlflow serve" in unit
    report["Debian package"] = Measured(size_mib(package), size_mib(root / "usr"), arrived - start, idle)


def test_the_wheel_puts_the_binary_among_pythons_commands(
    downloads: Callable[[str], Path], mlflow: Reader, report: dict[str, Measured], tmp_path: Path
) -> None:
    folder = downloads(commands.WHEEL)
    (wheel,) = folder.iterdir()
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    start = time.monotonic()
    _run(commands.WHEEL, folder, PATH=f"{environment}/bin:/usr/bin:/bin", PIP_NO_INDEX="1")
    binary = environment / "bin/openinference-mlflow"
    arrived, idle = deliver([str(binary)], tmp_path, str(tmp_path / "data"), mlflow, "wheel of the gateway")
    report["wheel of the gateway"] = Measured(size_mib(wheel), size_mib(binary), arrived - start, idle)


def test_the_image_starts_delivers_is_healthy_and_stops(
    downloads: Callable[[str], Path], mlflow: Reader, report: dict[str, Measured], tmp_path: Path
) -> None:
    if shutil.which("buildah") is None:
        pytest.skip("buildah is missing; Debian: apt-get install buildah")
    folder = downloads(commands.IMAGE)
    (archive,) = folder.iterdir()
    storage = {"STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
    start = time.monotonic()
    image = _run(commands.IMAGE, folder, **storage).strip()
    container = _run(f"buildah from --quiet {image}", folder, **storage).strip()
    try:
        root = Path(_run(f"buildah mount {container}", folder, **storage).strip())
        data = tmp_path / "volume"
        data.mkdir()
        os.chown(data, 65532, 65532)
        inside = "/var/lib/openinference-mlflow"
        entry = ["buildah", "run", f"--volume={data}:{inside}", container, "--", "/usr/local/bin/openinference-mlflow"]
        arrived, idle = deliver(entry, tmp_path, inside, mlflow, "OCI image", environment=storage)
        assert {each.stat().st_uid for each in data.iterdir()} == {65532}
        described = _run(f"buildah inspect --format '{{{{.OCIv1.Config.Entrypoint}}}}' {container}", folder, **storage)
        assert "/usr/local/bin/openinference-mlflow" in described
        assert not (root / "bin").exists(), "the image has no shell"
        size = size_mib(root)
    finally:
        _run(f"buildah rm {container} && buildah rmi {image}", folder, **storage)
    report["OCI image"] = Measured(size_mib(archive), size, arrived - start, idle)


@pytest.mark.parametrize("architecture", _ARCHITECTURES)
def test_all_packages_of_an_architecture_hold_the_same_binary(architecture: str, artefact: Find, tmp_path: Path) -> None:
    with tarfile.open(artefact(f"openinference-mlflow-*-{architecture}-unknown-linux-musl.tar.gz")) as files:
        files.extractall(tmp_path / "archive", filter="data")
    package = artefact(f"openinference-mlflow_*_{_DEBIAN[architecture]}.deb")
    subprocess.run(["dpkg-deb", "--extract", str(package), str(tmp_path / "debian")], check=True)
    with zipfile.ZipFile(artefact(f"openinference_mlflow_gateway-*{architecture}.whl")) as files:
        files.extractall(tmp_path / "wheel")
    _unpack_image(artefact(f"openinference-mlflow-*-{architecture}.oci.tar"), tmp_path / "image")
    binaries = [file for file in tmp_path.rglob("openinference-mlflow") if file.is_file() and size_mib(file) > 1]
    assert len(binaries) == 4
    assert len({hashlib.sha256(file.read_bytes()).hexdigest() for file in binaries}) == 1


def _unpack_image(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as blobs:
        for blob in blobs.getmembers():
            content = blobs.extractfile(blob) if blob.isfile() else None
            if content is None:
                continue
            try:
                with tarfile.open(fileobj=content, mode="r:*") as layer:
                    layer.extractall(folder, [each for each in layer if each.name.endswith("bin/openinference-mlflow")], filter="data")
            except tarfile.ReadError:
                continue
