#!/usr/bin/env bash
# Prints action/checksums.txt for the archives of a folder: tools/release-table.sh FOLDER
# It fails unless every platform that action/bootstrap.sh knows is there.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
version=$(<"$root/action/version")
cd "$1"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

printf '# SHA-256 of the archives of portzero %s, and of the programs in them.\n' "$version"
for triple in x86_64-unknown-linux-musl aarch64-unknown-linux-musl x86_64-apple-darwin aarch64-apple-darwin x86_64-pc-windows-msvc; do
    program=portzero
    [[ $triple != *windows* ]] || program=portzero.exe
    name=portzero-$version-$triple
    sha256sum "$name.tar.gz"
    mkdir "$scratch/$name"
    tar -xzf "$name.tar.gz" -C "$scratch/$name" "$program"
    (cd "$scratch" && sha256sum "$name/$program")
done
