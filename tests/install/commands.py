"""The commands of docs/install.md. The tests of this folder run each; `make test` checks that there are no others."""

ARCHIVE = "tar --extract --file openinference-mlflow-0.1.0-x86_64-unknown-linux-musl.tar.gz"
DEBIAN = "dpkg --install openinference-mlflow_0.1.0-1_amd64.deb"
WHEEL = "pip install openinference_mlflow_gateway-0.1.0-py3-none-manylinux2014_x86_64.musllinux_1_1_x86_64.whl"
IMAGE = "buildah pull oci-archive:openinference-mlflow-0.1.0-x86_64.oci.tar"
SUMS = "sha256sum --check SHA256SUMS"
NODE = "npm install ./openinference-mlflow-0.1.0.tgz @opentelemetry/api"
PYTHON = "pip install openinference_mlflow-0.1.0-py3-none-any.whl"
RUST_TARGET = "rustup target add wasm32-unknown-unknown"
SOURCE = "cargo install --locked --path host-native"

# In the page's order.
ALL = (SUMS, ARCHIVE, DEBIAN, WHEEL, IMAGE, NODE, PYTHON, RUST_TARGET, SOURCE)
