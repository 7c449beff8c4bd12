#!/usr/bin/env bash
# Lists what a crate is built from, as CycloneDX, from the top of the repository:
#   sbom.sh FOLDER TARGET FILE [FLAG…]
set -euo pipefail
folder=$1 target=$2 file=$3
shift 3
.tools/bin/cargo-cyclonedx cyclonedx --quiet --manifest-path "$folder/Cargo.toml" --format json --target "$target" \
  --override-filename sbom-of-one-crate "$@"
mv "$folder/sbom-of-one-crate.json" "$file"
# It writes a file beside every manifest of the workspace.
find host-* translator tests -name sbom-of-one-crate.json -not -path '*/node_modules/*' -delete
