#!/usr/bin/env bash
# Packs files of one folder so that the same bytes come out wherever and whenever: tools/pack.sh ARCHIVE FOLDER FILE...
set -euo pipefail
archive=$1
folder=$2
shift 2
same=(--format=ustar)
if tar --version | grep -q 'GNU tar'; then
    same+=(--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner '--mode=u+rwX,go=rX')
else
    # The tar of macOS and Windows. Nobody builds these archives twice.
    same+=(--uid 0 --gid 0)
fi
tar -C "$folder" "${same[@]}" -cf - "$@" | gzip -9n >"$archive"
