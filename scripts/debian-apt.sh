# Sourced by debian-unpack.sh and debian-source.sh, which need an apt of their own: with the mirror
# that the machine uses, but for another release, with nothing installed, and such that the
# machine's apt stays as it is. Whatever fails, fails with a sentence that says why.

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

# own_apt KIND SUITE DIRECTORY: make DIRECTORY anew, and in it an apt, $apt, for what is of KIND
# (deb or deb-src) in SUITE. DIRECTORY goes again, or what `leftover` names then, when the script
# ends. The mirror may be a snapshot: a signature is asked for, its date is not.
own_apt() {
    suite=$2
    rm -rf "$3"
    mkdir -p "$3"
    directory=$(cd "$3" && pwd)
    leftover=$directory # all of it, until it is complete
    trap 'rm -rf "$leftover"' EXIT
    trap 'exit 1' HUP INT TERM
    apt=$directory/apt
    mkdir -p "$apt/etc/apt.conf.d" "$apt/etc/preferences.d" "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/state" "$apt/log"
    : >"$apt/state/status"
    echo "$1 [signed-by=$keyring] $uri $suite main" >"$apt/sources.list"
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
}

# download ARGUMENT…: what `apt-get ARGUMENT…` downloads, by that apt.
download() {
    { apt-get -q update && apt-get -q -y --download-only "$@"; } >"$apt/log/download" 2>&1 ||
        fail "Debian $suite cannot be had here: $(grep '^E:' "$apt/log/download" | sed -n 1p)"
}
