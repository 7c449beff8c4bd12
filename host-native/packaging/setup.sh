#!/usr/bin/env bash
# Makes sure that the tools are there which build images and run binaries of another architecture.
set -euo pipefail
missing=()
command -v buildah >/dev/null || missing+=(buildah)
command -v qemu-aarch64-static >/dev/null || missing+=(qemu-user-static)
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
  exit 0
fi
echo "missing: install ${missing[*]} (Debian: sudo apt-get install ${missing[*]})" >&2
exit 1
