#!/bin/sh
# Installs waybill: picks the file for this machine, proves it, tries it, and only then puts it in place of an old one.
# Needs no root. What is there already stays as it is whenever anything fails.
# usage: install.sh --from URL|FOLDER (--key KEY | --sha256 HEX) [--version V] [--dir DIR]
#   --from      where the files of the release are: an https URL, or a folder
#   --key       the public key that you got elsewhere: "RW…" (minisign) or "ssh-ed25519 …", or a file with one; the list of
#               sums must be signed by it, which minisign or ssh-keygen checks
#   --sha256    in place of a key: the digest of the executable for this machine, as you got it elsewhere
#   --version   of several in one folder (the only one, else)
#   --dir       where it goes ($HOME/.local/bin, or /usr/local/bin for root)
set -eu
umask 022
fail() { echo "install.sh: $*" >&2; exit 1; }
need() { [ "$2" -ge 2 ] || fail "$1 needs a value"; }

from='' key='' digest='' version='' dir=''
while [ $# -gt 0 ]; do
  case $1 in
    --from) need "$1" $#; from=${2%/}; shift 2 ;;
    --key) need "$1" $#; key=$2; shift 2 ;;
    --sha256) need "$1" $#; digest=$2; shift 2 ;;
    --version) need "$1" $#; version=$2; shift 2 ;;
    --dir) need "$1" $#; dir=$2; shift 2 ;;
    *) fail "unknown argument $1; wanted --from, --key or --sha256, --version, --dir" ;;
  esac
done
[ -n "$from" ] || fail "--from is missing: the URL or folder of the release"
[ -n "$key$digest" ] || fail "name what the download is proven by: --key KEY or --sha256 HEX"
[ -z "$key" ] || [ -z "$digest" ] || fail "--key and --sha256 contradict each other; give one"
if [ -f "$key" ]; then key=$(grep -E '^(RW|ssh-ed25519 )' "$key" | head -n 1); [ -n "$key" ] || fail "the file of --key has no line RW… or ssh-ed25519 …"; fi
if [ -z "$dir" ]; then
  if [ "$(id -u)" = 0 ]; then dir=/usr/local/bin; else dir=${HOME:?install.sh: HOME is not set; name a folder with --dir}/.local/bin; fi
fi

case "$(uname -s)/$(uname -m)" in
  Linux/x86_64 | Linux/amd64) target=linux-x64 ;;
  Linux/aarch64 | Linux/arm64) target=linux-arm64 ;;
  Darwin/x86_64) target=darwin-x64 ;;
  Darwin/arm64) target=darwin-arm64 ;;
  *) fail "there is no waybill for $(uname -s)/$(uname -m)" ;;
esac
case $target in linux-*)
  for loader in /lib/ld-musl-*; do [ ! -e "$loader" ] || musl=$target-musl; done
  for loader in /lib64/ld-linux-* /lib/ld-linux-*; do [ ! -e "$loader" ] || musl=''; done
  target=${musl:-$target}
  if [ -r /proc/cpuinfo ] && [ "${target%-musl}" = linux-x64 ]; then
    grep -q sse4_2 /proc/cpuinfo || fail "this processor has no SSE4.2, which the runtime needs"
  fi ;;
esac

[ ! -d "$dir/waybill" ] || fail "$dir/waybill is a folder"
mkdir -p "$dir"
# Beside its place, so that the last step is a rename on one file system.
scratch=$(mktemp -d "$dir/.waybill-install.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

get() { # get NAME: a file of the release into the scratch folder; false when it is not there
  case $from in
    https://* | http://127.0.0.1:* | http://localhost:*)
      if command -v curl >/dev/null 2>&1; then
        curl -fsSL --proto '=https,http' --proto-redir '=https' --max-time 600 -o "$scratch/$1" "$from/$1"
      elif command -v wget >/dev/null 2>&1; then
        wget -q -T 60 -O "$scratch/$1" "$from/$1"
      else
        fail "curl or wget is needed to fetch from a URL"
      fi ;;
    *://*) fail "--from is $from; wanted an https URL or a folder" ;;
    *) [ -f "$from/$1" ] && cp "$from/$1" "$scratch/$1" ;;
  esac
}
sum() { # sum FILE
  if command -v sha256sum >/dev/null 2>&1; then sha256sum "$1"
  elif command -v shasum >/dev/null 2>&1; then shasum -a 256 "$1"
  else openssl dgst -sha256 -r "$1"; fi | sed 's/[ *].*//'
}

get SHA256SUMS || fail "there is no SHA256SUMS at $from"
if [ -n "$key" ]; then
  case $key in
    RW*)
      command -v minisign >/dev/null 2>&1 || fail "minisign is needed for this key; install it, or pass its ssh-ed25519 form"
      get SHA256SUMS.minisig || fail "there is no SHA256SUMS.minisig at $from"
      minisign -V -q -P "$key" -m "$scratch/SHA256SUMS" -x "$scratch/SHA256SUMS.minisig" >/dev/null ||
        fail "SHA256SUMS is not signed by this key; nothing was installed" ;;
    "ssh-ed25519 "*)
      command -v ssh-keygen >/dev/null 2>&1 || fail "ssh-keygen is needed for this key; install it, or pass its minisign form"
      get SHA256SUMS.sig || fail "there is no SHA256SUMS.sig at $from"
      printf 'release %s\n' "$key" >"$scratch/signers"
      ssh-keygen -Y verify -f "$scratch/signers" -I release -n file -s "$scratch/SHA256SUMS.sig" \
        <"$scratch/SHA256SUMS" >/dev/null 2>&1 || fail "SHA256SUMS is not signed by this key; nothing was installed" ;;
    *) fail "--key is no key; wanted RW… or ssh-ed25519 …" ;;
  esac
fi

names=$(sed -nE "s/^[0-9a-f]{64}  (waybill-${version:-[^ ]*}-$target)\$/\\1/p" "$scratch/SHA256SUMS")
[ -n "$names" ] || fail "the release has no file for $target"
[ "$(printf '%s\n' "$names" | wc -l)" -eq 1 ] || fail "there are several versions: $(echo "$names" | tr '\n' ' '); name one with --version"
name=$names
wanted=$(sed -nE "s/^([0-9a-f]{64})  $name\$/\\1/p" "$scratch/SHA256SUMS")
[ -z "$digest" ] || [ "$digest" = "$wanted" ] || fail "the release has $wanted for $name; --sha256 says $digest; nothing was installed"

prove() { # prove NAME: the file in the scratch folder is the one of the list
  found=$(sum "$scratch/$1")
  listed=$(sed -nE "s/^([0-9a-f]{64})  $1\$/\\1/p" "$scratch/SHA256SUMS")
  [ "$found" = "$listed" ] || fail "$1 has sha256 $found; wanted ${listed:-a line of the list}; nothing was installed"
}
# The smallest download that this machine can unpack: proven before it is unpacked, and the program again after it.
if command -v xz >/dev/null 2>&1 && get "$name.xz" 2>/dev/null; then
  prove "$name.xz"
  xz -dc "$scratch/$name.xz" >"$scratch/$name" || fail "$name.xz could not be unpacked; nothing was installed"
elif command -v zstd >/dev/null 2>&1 && get "$name.zst" 2>/dev/null; then
  prove "$name.zst"
  zstd -qdc "$scratch/$name.zst" >"$scratch/$name" || fail "$name.zst could not be unpacked; nothing was installed"
else get "$name" || fail "$name could not be fetched from $from"; fi
prove "$name"

chmod 755 "$scratch/$name"
"$scratch/$name" doctor >"$scratch/doctor" 2>&1 || { cat "$scratch/doctor" >&2; fail "it does not run here; nothing was installed"; }
mv -f "$scratch/$name" "$dir/waybill"
"$dir/waybill" version
echo "installed $dir/waybill"
case ":${PATH:-}:" in *":$dir:"*) ;; *) echo "note: $dir is not in PATH" ;; esac
