#!/usr/bin/env bash
# Builds a release twice, in two folders, and holds the archives against each other: tools/reproducible.sh [TRIPLE]
# It fails where a byte differs, or where the program has a path of this machine in it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
triple=${1:-x86_64-unknown-linux-musl}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Once: the branch may move while the first is built.
commit=$(git rev-parse HEAD)
name=portzero-$(<action/version)-$triple
# Of different lengths, and neither is where the sources lie.
for folder in "$scratch/a" "$scratch/another-place/of-the-same"; do
    mkdir -p "$folder"
    git archive "$commit" | tar -x -C "$folder"
    (cd "$folder" && tools/build-release.sh "$triple")
done
first=$scratch/a/target/release-artifacts
second=$scratch/another-place/of-the-same/target/release-artifacts
cmp "$first/$name.tar.gz" "$second/$name.tar.gz"

tar -xzf "$first/$name.tar.gz" -C "$scratch" portzero
for path in "$scratch" "$HOME/" "${CARGO_HOME:-$HOME/.cargo}" "$(rustc --print sysroot)"; do
    if grep -qaF "$path" "$scratch/portzero"; then
        printf 'the program has a path of this machine in it: %s\n' "$path" >&2
        exit 1
    fi
done
printf '\n%s.tar.gz is the same from both folders, and names no path of this machine\n' "$name"
