#!/usr/bin/env bash
# Finds the portzero of this commit of the action, and becomes it. Nothing is run whose SHA-256 does not stand in
# checksums.txt beside this file, but for the input `binary`. For bash 3.2 (macOS) and for the bash of Git for Windows.
# shellcheck disable=SC2016 # backticks mark the names of inputs
set -euo pipefail
unset BASH_ENV ENV CDPATH GLOBIGNORE
IFS=$' \t\n'

here=${BASH_SOURCE[0]//\\//}
here=${here%/*}

# The child that is waited for, and the folder that is being filled: both go where the run is cancelled.
child=
scratch=

# fail CAUSE NEXT: the one end of everything that goes wrong here. Nothing has been deployed.
fail() {
    annotate error "$1; nothing was deployed. $2"
    exit 2
}

# annotate error|warning|notice TEXT, with what the runner would take for the end of the line escaped.
annotate() {
    local text=$2
    text=${text//'%'/%25}
    text=${text//$'\r'/%0D}
    text=${text//$'\n'/%0A}
    printf '::%s title=portzero::%s\n' "$1" "$text" >&2
}

clean_up() {
    if [[ -n $scratch ]]; then
        rm -rf "$scratch"
        scratch=
    fi
}

# shellcheck disable=SC2329 # the traps call it
cancelled() {
    trap '' INT TERM
    if [[ -n $child ]]; then
        kill -TERM "$child" 2>/dev/null || true
    fi
    exit "$1"
}

trap clean_up EXIT
trap 'cancelled 130' INT
trap 'cancelled 143' TERM

# A program in the background leaves the shell free to hear a signal; in the foreground it would be heard afterwards.
in_background() {
    local code=0
    "$@" &
    child=$!
    wait "$child" || code=$?
    child=
    return "$code"
}

trimmed() {
    local text=$1
    text=${text#"${text%%[![:space:]]*}"}
    printf '%s' "${text%"${text##*[![:space:]]}"}"
}

# A path as this shell writes it: on Windows the runner gives C:\…, which tar would take for the name of a machine.
native() {
    if command -v cygpath >/dev/null; then cygpath -u "$1"; else printf '%s' "$1"; fi
}

# become PROGRAM: the last step. `exec`, because the runner signals this process and no other.
become() {
    clean_up
    trap - EXIT INT TERM
    # So that a failure comes back here: with `set -e` bash ends at once, and with its own words.
    set +e
    shopt -s execfail
    exec "$1" action
    fail "$1 is there and cannot be run on this machine" 'Is it built for another platform?'
}

# The triple of the releases for this runner.
platform() {
    local os=${RUNNER_OS:-} arch=${RUNNER_ARCH:-}
    [[ -n $os ]] || os=$(uname -s)
    [[ -n $arch ]] || arch=$(uname -m)
    case $os in
        Linux) os=unknown-linux-musl ;;
        macOS | Darwin) os=apple-darwin ;;
        Windows | MINGW* | MSYS*) os=pc-windows-msvc ;;
        *) os= ;;
    esac
    case $arch in
        X64 | x86_64 | amd64) arch=x86_64 ;;
        ARM64 | aarch64 | arm64) arch=aarch64 ;;
        *) arch= ;;
    esac
    case $arch-$os in
        x86_64-unknown-linux-musl | aarch64-unknown-linux-musl | x86_64-apple-darwin | aarch64-apple-darwin | x86_64-pc-windows-msvc)
            printf '%s' "$arch-$os"
            ;;
        *)
            fail "portzero is not released for ${RUNNER_OS:-$(uname -s)} on ${RUNNER_ARCH:-$(uname -m)}" \
                'Build it there (cargo build --release), and name the result with the input `binary`.'
            ;;
    esac
}

# expected FILE: its hash in the table, or nothing.
expected() {
    local hash file rest
    while read -r hash file rest || [[ -n $hash ]]; do
        if [[ $hash != '#'* && $file == "$1" && -z $rest ]]; then
            printf '%s' "$hash"
            return
        fi
    done <"$here/checksums.txt"
}

# Whether the table has anything at all.
is_released() {
    local hash rest
    while read -r hash rest || [[ -n $hash ]]; do
        [[ -z $hash || $hash == '#'* ]] || return 0
    done <"$here/checksums.txt"
    return 1
}

sha256() {
    local sum
    if command -v sha256sum >/dev/null; then
        sum=$(sha256sum <"$1")
    elif command -v shasum >/dev/null; then
        sum=$(shasum -a 256 <"$1")
    else
        fail 'neither sha256sum nor shasum is on this machine' 'Install one of them, or name a portzero with the input `binary`.'
    fi
    printf '%s' "${sum%%[[:space:]]*}"
}

# The line of URL/vVERSION/ARCHIVE to fetch from: https, or this very machine.
base_url() {
    local url
    url=$(trimmed "${PORTZERO_DOWNLOAD_BASE_URL:-}")
    if [[ -z $url && -f $here/download-base-url ]]; then
        url=$(trimmed "$(<"$here/download-base-url")")
    fi
    [[ -n $url ]] || fail 'this commit of the action does not know where its releases are' \
        'Name the address with the input `download-base-url`.'
    printf '%s' "${url%/}"
}

# shown URL: without the name and the password that it may have. A password may have any character, and whoever forgets the
# `https://` has one too: all before the last @ is hidden.
shown() {
    local scheme=
    if [[ $1 != *@* ]]; then
        printf '%s' "$1"
        return
    fi
    [[ ! $1 =~ ^[a-zA-Z]+:// ]] || scheme=${BASH_REMATCH[0]}
    printf '%s***@%s' "$scheme" "${1##*@}"
}

is_loopback() {
    [[ $1 =~ ^http://([^]@/?#\\[]*@)?(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?/ ]]
}

# said URL: the last that curl has said of it. Where the address has a password, curl may quote it: its number remains.
said() {
    local line
    line=$(tail -n 1 "$scratch/curl" | tr -d '\r')
    if [[ $1 == *@* ]]; then
        [[ $line =~ ^curl:\ \([0-9]+\) ]] || line=
        line=${line:+${BASH_REMATCH[0]}}
    fi
    printf '%s' "$line"
}

# download URL FILE
download() {
    command -v curl >/dev/null || fail 'curl is not on this machine' 'Install it, or name a portzero with the input `binary`.'
    # Without the configuration of whoever runs this machine, which may name another server, or print what is sent. It has to
    # be the first option.
    local options=(--disable --fail --silent --show-error --connect-timeout 15 --max-time 600 --output "$2")
    if is_loopback "$1"; then
        # Whoever does not answer on this machine is not there: no use in asking again.
        options+=(--proto '=http')
    elif [[ $1 == https://* ]]; then
        options+=(--proto '=https' --tlsv1.2 --location --retry 5)
        # curl 7.71 and later; without it a connection that breaks off is not tried again.
        if curl --disable --retry-all-errors --version >/dev/null 2>&1; then
            options+=(--retry-all-errors)
        fi
    else
        fail "$(shown "$1") is no https address" 'Look at the input `download-base-url`.'
    fi
    in_background curl "${options[@]}" "$1" 2>"$scratch/curl" ||
        fail "$(shown "$1") could not be downloaded: $(said "$1")" \
            'Run the job again; behind a firewall, name a mirror with the input `download-base-url`, or a portzero with `binary`.'
}

# hold FILE NAME: stops the run where the file is not the one of the table.
hold() {
    local wanted got
    wanted=$(expected "$2")
    got=$(sha256 "$1")
    [[ $got == "$wanted" ]] || fail "$2 is not what was released: its SHA-256 is $got, and the table of this commit says $wanted" \
        'Do not run it. Find out who serves it; if that is GitHub itself, please report it (SECURITY.md).'
}

# A folder that can be written, for the programs of this machine's runs.
cache() {
    local root
    for root in "${RUNNER_TOOL_CACHE:-}" "${RUNNER_TEMP:-}"; do
        [[ -n $root ]] || continue
        root=$(native "$root")/portzero/$1/$2
        if mkdir -p "$root" 2>/dev/null && [[ -w $root ]]; then
            printf '%s' "$root"
            return
        fi
    done
    # Others may write to a folder for all: there the name is one that nobody can know, and the folder is this user's alone.
    if root=$(mktemp -d "${TMPDIR:-/tmp}/portzero.XXXXXXXXXX" 2>/dev/null); then
        printf '%s' "$root"
        return
    fi
    fail 'no folder can be written to keep the program in' 'Look at RUNNER_TOOL_CACHE and RUNNER_TEMP on this runner.'
}

# The input `binary`: the user vouches for it.
given() {
    local binary=$1
    [[ -z $(trimmed "${PORTZERO_VERSION:-}${PORTZERO_DOWNLOAD_BASE_URL:-}") ]] ||
        fail 'the input `binary` skips the download, so `version` and `download-base-url` mean nothing beside it' 'Leave them out, or `binary`.'
    binary=$(native "$binary")
    [[ $binary == */* ]] || binary=./$binary
    [[ -e $binary ]] || fail "the input \`binary\` names $1, and there is no such file" \
        'A path is taken from the workspace: does an earlier step put it there?'
    [[ -f $binary ]] || fail "the input \`binary\` names $1, which is no file" 'Name the program itself.'
    [[ -x $binary ]] || fail "the input \`binary\` names $1, which must not be executed" 'Run chmod +x on it in an earlier step.'
    become "$binary"
}

main() {
    local version triple program archive name root base got
    name=$(trimmed "${PORTZERO_BINARY:-}")
    [[ -z $name ]] || given "$name"

    triple=$(platform)
    program=portzero
    [[ $triple != *windows* ]] || program=portzero.exe
    is_released || fail 'there is no release of portzero yet, so there is nothing to download' \
        'Build it (cargo build --release), and name the result with the input `binary`.'
    version=$(trimmed "${PORTZERO_VERSION:-}")
    [[ -n $version ]] || version=$(trimmed "$(<"$here/version")")
    version=${version#v}
    name=portzero-$version-$triple
    archive=$name.tar.gz
    [[ -n $(expected "$archive") && -n $(expected "$name/$program") ]] ||
        fail "this commit of the action has no checksum of portzero $version for $triple" \
            'Leave out the input `version`, or use the commit of the action that was released with that version.'

    root=$(cache "$version" "$triple")
    if [[ -f $root/$program ]]; then
        got=$(sha256 "$root/$program")
        if [[ $got == "$(expected "$name/$program")" ]]; then
            become "$root/$program"
        fi
        annotate warning "the portzero that was kept in $root is not what was released: it was removed unrun, and is fetched anew. Who writes to the tool cache of this runner?"
        rm -f "$root/$program"
    fi

    base=$(base_url)
    scratch=$(mktemp -d "$root/.new.XXXXXX")
    download "$base/v$version/$archive" "$scratch/$archive"
    hold "$scratch/$archive" "$archive"
    (cd "$scratch" && tar -xzf "$archive" "$program") || fail "$archive could not be unpacked" 'Is tar on this machine, with gzip?'
    hold "$scratch/$program" "$name/$program"
    chmod 755 "$scratch/$program"
    # Another job on this machine may do the same at the same time: whoever is last puts the same bytes there, at once.
    # Windows does not replace a program that runs; the one that is there is looked at, then.
    mv -f "$scratch/$program" "$root/$program" 2>/dev/null || hold "$root/$program" "$name/$program"
    become "$root/$program"
}

main
