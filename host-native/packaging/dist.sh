#!/usr/bin/env bash
# Builds the gateway's artefacts for Linux into dist/, from the top of the repository:
#   dist.sh [ARCHITECTURE…]     x86_64 without arguments
# For each architecture: an archive, a Debian package, a wheel and an image with the same static binary, and its SBOM (CycloneDX).
set -euo pipefail
cd "$(dirname "$0")/../.."

architectures=("$@")
[ ${#architectures[@]} -gt 0 ] || architectures=(x86_64)
packaging=host-native/packaging
tools=$PWD/.venv-dist/bin
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
target_dir=$CARGO_TARGET_DIR
# Where Cargo.toml says that the Debian package finds its files.
stages=$PWD/target/stage
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
dist=$PWD/dist
mkdir -p "$dist"

# cargo-zigbuild runs the `zig` that it finds: Zig compiles and links C for every target. librdkafka's build runs `cmake`.
export PATH=$tools:$PATH
# A file of librdkafka includes curl's header even where cmake has turned curl off, and uses nothing of it.
export C_INCLUDE_PATH=$stages/without-curl
mkdir -p "$C_INCLUDE_PATH/curl"
: >"$C_INCLUDE_PATH/curl/curl.h"
features=(--no-default-features --features precompiled,kafka-by-cmake)

build() { # TARGET
  rustup target list --installed | grep -qx "$1" || rustup target add "$1"
  cargo zigbuild --quiet --locked --profile dist --target "$1" -p openinference-mlflow "${features[@]}"
}

# The files that every package has besides the binary. The pages and scripts come from the binary of this machine.
accompany() { # FOLDER
  local native=$target_dir/$(uname -m)-unknown-linux-musl/dist/openinference-mlflow
  mkdir -p "$1/completions"
  "$native" man "$1/man"
  gzip -9nf "$1"/man/*.1
  for shell in bash zsh fish; do "$native" completions $shell >"$1/completions/openinference-mlflow.$shell"; done
  cp LICENSE CHANGELOG.md "$1"
}

archive() { # TARGET
  local name=openinference-mlflow-$version-$1
  local stage=$stages/$name
  rm -rf "$stage"
  accompany "$stage"
  install -m 0755 "$target_dir/$1/dist/openinference-mlflow" "$stage"
  cp "$packaging/openinference-mlflow.service" "$stage"
  tar --sort=name --owner=0 --group=0 --numeric-owner -C "$stages" -czf "dist/$name.tar.gz" "$name"
  "$packaging/sbom.sh" host-native "$1" "dist/$name.cdx.json" "${features[@]}"
}

debian() { # TARGET
  # The unit in the package starts the package's binary.
  sed 's#/usr/local/bin/#/usr/bin/#' "$packaging/openinference-mlflow.service" >"$stages/openinference-mlflow.service"
  ln -sfn "openinference-mlflow-$version-$1" "$stages/debian"
  .tools/bin/cargo-deb --quiet --manifest-path host-native/Cargo.toml --no-build --no-strip --profile dist --target "$1" \
    "${features[@]}" --output dist
}

# A static binary runs with every C library, which the tags say.
wheel() { # ARCHITECTURE
  local stage=$stages/wheel-$1
  rm -rf "$stage"
  mkdir -p "$stage/built"
  sed "s/@VERSION@/$version/" "$packaging/wheel/pyproject.toml" >"$stage/pyproject.toml"
  cp "$packaging/wheel/README.md" LICENSE "$stage"
  install -m 0755 "$target_dir/$1-unknown-linux-musl/dist/openinference-mlflow" "$stage"
  .tools/uv/bin/uv build --quiet --wheel --no-create-gitignore --python "$tools/python" --no-build-isolation --out-dir "$stage/built" "$stage"
  "$tools/python" -m wheel tags --remove --platform-tag "manylinux2014_$1.musllinux_1_1_$1" "$stage"/built/*.whl >/dev/null
  mv "$stage"/built/*.whl "$dist"
}

for architecture in "${architectures[@]}"; do
  build "$architecture-unknown-linux-musl"
done
for architecture in "${architectures[@]}"; do
  target=$architecture-unknown-linux-musl
  archive "$target"
  debian "$target"
  wheel "$architecture"
  "$packaging/image.sh" "$target_dir/$target/dist/openinference-mlflow" "$architecture" \
    "$dist/openinference-mlflow-$version-$architecture.oci.tar"
done
