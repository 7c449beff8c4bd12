#!/usr/bin/env bash
# Puts a static binary into an OCI image that holds nothing else but certificates, without a network:
#   image.sh BINARY ARCHITECTURE ARCHIVE
set -euo pipefail
binary=$1 architecture=$2 archive=$3
certificates=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
case $architecture in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; *) arch=$architecture ;; esac

export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
files=$(mktemp -d)
container=$(buildah from --arch "$arch" scratch)
trap 'buildah rm "$container" >/dev/null; rm -rf "$files"' EXIT

install -D -m 0755 "$binary" "$files/usr/local/bin/openinference-mlflow"
install -D -m 0644 "$certificates" "$files/etc/ssl/certs/ca-certificates.crt"
install -d -m 1777 "$files/tmp"
buildah copy --quiet "$container" "$files" / >/dev/null
empty=$(mktemp -d "$files/XXXX")
for folder in /var/lib/openinference-mlflow /var/cache/openinference-mlflow; do
  buildah copy --quiet --chown 65532:65532 --chmod 0700 "$container" "$empty" "$folder" >/dev/null
done
buildah config --arch "$arch" --os linux --user 65532:65532 \
  --env OPENINFERENCE_MLFLOW_DATA_DIR=/var/lib/openinference-mlflow \
  --env OPENINFERENCE_MLFLOW_ADMIN_LISTEN=0.0.0.0:4319 \
  --env XDG_CACHE_HOME=/var/cache/openinference-mlflow \
  --volume /var/lib/openinference-mlflow --port 4317 --port 4318 --port 4319 \
  --entrypoint '["/usr/local/bin/openinference-mlflow"]' --cmd serve "$container"
rm -f "$archive"
buildah commit --quiet "$container" "oci-archive:$archive:openinference-mlflow" >/dev/null
