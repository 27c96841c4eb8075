#!/bin/bash
# Signs what the updater installs, and describes it in a `latest.json` beside it, as Tauri's updater reads it.
#
#   describe.sh FOLDER VERSION URL NOTES
#
# FOLDER holds the files of a release, URL is where they will be, NOTES a file with what is said of it. The key comes as MINISIGN_KEY (a
# file as `minisign -G` writes it) and MINISIGN_PASSWORD, the half that is built in as DORMOUSE_UPDATE_KEY (`base64 -w0 minisign.pub`). The
# key is used here and nowhere where anything is compiled.
set -euo pipefail
# What fails in the middle of a $(...) is a failure, too.
shopt -s inherit_errexit
folder=$1 version=$2 url=$3 notes=$4

own=$(mktemp -d)
trap 'rm -rf "$own"' EXIT
(umask 077; printf '%s\n' "$MINISIGN_KEY" > "$own/key")
printf '%s' "$DORMOUSE_UPDATE_KEY" | base64 -d > "$own/key.pub"

# Signs a file as this version: the updater takes it as no other. What was built would not take what the wrong key has signed, so that is
# looked at before anybody has it.
sign() {
  printf '%s\n' "$MINISIGN_PASSWORD" | minisign -S -s "$own/key" -m "$1" -x "$own/signature" \
    -t "timestamp:$(date +%s)	file:$(basename "$1")	version:$version" > /dev/null
  minisign -V -q -p "$own/key.pub" -m "$1" -x "$own/signature"
  base64 -w0 "$own/signature"
}

# One file for each kind of computer.
described='{}'
describe() {
  local pattern=$1 files signature
  shift
  mapfile -t files < <(find "$folder" -maxdepth 1 -type f -name "$pattern")
  if [ ${#files[@]} -ne 1 ]; then
    echo "There are ${#files[@]} files $pattern in $folder, and there should be one." >&2
    exit 1
  fi
  signature=$(sign "${files[0]}")
  for platform in "$@"; do
    described=$(jq --arg platform "$platform" --arg url "$url/$(basename "${files[0]}")" --arg signature "$signature" \
      '.[$platform] = {url: $url, signature: $signature}' <<< "$described")
  done
}

describe '*.AppImage' linux-x86_64
describe '*_aarch64-apple-darwin.app.tar.gz' darwin-aarch64
describe '*_x86_64-apple-darwin.app.tar.gz' darwin-x86_64
describe '*-setup.exe' windows-x86_64-nsis windows-x86_64
describe '*.msi' windows-x86_64-msi

jq -n --arg version "$version" --rawfile notes "$notes" --arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" --argjson platforms "$described" \
  '{version: $version, notes: $notes, pub_date: $date, platforms: $platforms}' > "$folder/latest.json"
