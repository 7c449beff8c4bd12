#!/usr/bin/env bash
# Makes sure that a Chromium is there: the one that CHROMIUM_BIN or CHROMIUM names, one that is installed, or Debian's
# package where this may be installed. No browser is downloaded from anywhere else.
set -euo pipefail

for candidate in "${CHROMIUM_BIN:-}" "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
  if [ -n "$candidate" ] && command -v "$candidate" >/dev/null; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium >/dev/null
  exit 0
fi
echo "no Chromium: install it (Debian: sudo apt-get install chromium), or name one in CHROMIUM_BIN" >&2
exit 1
