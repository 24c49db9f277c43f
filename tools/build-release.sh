#!/usr/bin/env bash
# Builds the program for release and packs it: tools/build-release.sh [TRIPLE]...
# By default both static Linux builds, which need nothing of the target on this machine. Archives go to
# target/release-artifacts; their SHA-256 and sizes are printed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ $# == 0 ]]; then
    set -- x86_64-unknown-linux-musl aarch64-unknown-linux-musl
fi
version=$(<action/version)

# Another compiler makes other bytes.
toolchain=1.95.0
if [[ $(rustc --version) != "rustc $toolchain "* ]]; then
    printf 'releases are built with Rust %s, and this is %s\n' "$toolchain" "$(rustc --version)" >&2
    exit 1
fi

# The paths of this machine, as they stand in the program: the same everywhere.
cargo_home=${CARGO_HOME:-$HOME/.cargo}
same_paths=(
    "$PWD=/portzero"
    "$cargo_home=/cargo"
    "$(rustc --print sysroot)=/rust"
)
rust_flags=
c_flags=
for pair in "${same_paths[@]}"; do
    rust_flags+=" --remap-path-prefix=$pair"
    c_flags+=" -ffile-prefix-map=$pair"
done
export SOURCE_DATE_EPOCH=0
artifacts=target/release-artifacts
mkdir -p "$artifacts"

zig() {
    local venv=target/release-venv
    [[ -x $venv/bin/python ]] || python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
        --requirement tools/release-requirements.txt
    PATH=$PWD/$venv/bin:$PATH
}

sha256() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }

# Whoever runs it must need nothing but a kernel.
require_static() {
    local kind
    kind=$(file -b "$1")
    printf '%s\n' "$kind"
    if [[ $kind != *'statically linked'* && $kind != *'static-pie linked'* ]]; then
        printf '%s is not static\n' "$1" >&2
        exit 1
    fi
}

for triple in "$@"; do
    printf '\n==> %s\n' "$triple"
    rustup target add "$triple"
    program=portzero
    case $triple in
        *-linux-musl)
            zig
            RUSTFLAGS=$rust_flags CFLAGS=$c_flags cargo zigbuild --release --locked --target "$triple"
            require_static "target/$triple/release/$program"
            ;;
        *-windows-msvc)
            program=portzero.exe
            RUSTFLAGS="-C target-feature=+crt-static$rust_flags" cargo build --release --locked --target "$triple"
            ;;
        *)
            RUSTFLAGS=$rust_flags CFLAGS=$c_flags cargo build --release --locked --target "$triple"
            ;;
    esac
    name=portzero-$version-$triple
    rm -rf "${artifacts:?}/$name"
    mkdir "$artifacts/$name"
    cp "target/$triple/release/$program" "$artifacts/$name/"
    python3 tools/sbom.py "$triple" >"$artifacts/$name/portzero.cdx.json"
    # At the top: action/bootstrap.sh unpacks the program, and nothing else.
    tools/pack.sh "$artifacts/$name.tar.gz" "$artifacts/$name" "$program" portzero.cdx.json
    rm -rf "${artifacts:?}/$name"
    wc -c "target/$triple/release/$program" "$artifacts/$name.tar.gz" | sed '$d'
    sha256 "$artifacts/$name.tar.gz"
done
