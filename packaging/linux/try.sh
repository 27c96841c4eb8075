#!/bin/sh
# Installs a package into a Debian that has nothing else, starts what it brought on a display that nobody sees, removes it, and looks for
# what it left behind. As root.
#
#   try.sh PACKAGE FOLDER
#
# In FOLDER a clean Debian is made once (debootstrap, a minute); each try has a copy of its own. A picture of the window is left there.
# An .rpm is installed beside the libraries that the .deb of the same FOLDER names: there is no mirror of Fedora's here.
set -eu

package=$1
folder=$2
name=$(basename "$package")
clean=$folder/clean-debian-12
root=$folder/tried
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

fail() {
    echo "$name: $*" >&2
    exit 1
}

remove() {
    for mounted in dev proc; do
        if mountpoint --quiet "$1/$mounted"; then umount --lazy "$1/$mounted"; fi
    done
    rm -rf --one-file-system "$1"
}

display=
app=
tidy() {
    if [ -n "$app" ]; then kill -KILL "$app" 2>/dev/null || true; fi
    if [ -n "$display" ]; then kill "$display" 2>/dev/null || true; fi
    remove "$root"
}
trap tidy EXIT
trap 'exit 130' INT TERM HUP

if [ ! -d "$clean" ]; then
    remove "$clean.unfinished"
    debootstrap --variant=minbase bookworm "$clean.unfinished" > "$folder/debootstrap.log" 2>&1 ||
        fail "no clean Debian can be made; see $folder/debootstrap.log"
    mv "$clean.unfinished" "$clean"
fi
remove "$root"
cp -a "$clean" "$root"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
in_root() { chroot "$root" "$@"; }
quietly() { "$@" > "$folder/try.log" 2>&1 || fail "$* failed: $(tail -n 5 "$folder/try.log")"; }

quietly in_root apt-get -o Acquire::Retries=3 update
cp "$package" "$root/tmp/$name"
case $name in
*.deb)
    quietly in_root apt-get install -y --no-install-recommends "/tmp/$name"
    installed=$(in_root dpkg -L dormouse)
    uninstall() { quietly in_root apt-get purge -y dormouse; }
    ;;
*.rpm)
    quietly in_root apt-get satisfy -y --no-install-recommends "$(dpkg-deb -f "$folder"/dormouse_*.deb Depends)" rpm
    # Debian's own packages are unknown to rpm, so it can't find the libraries; they are looked for here.
    for library in $(in_root rpm -qpR "/tmp/$name" | sed -n 's/\(.*\.so[^(]*\)(.*/\1/p' | sort -u); do
        in_root ldconfig -p | grep -q "[[:space:]]$library " || fail "it needs $library, which the package for Debian does not bring"
    done
    quietly in_root rpm --install --nodeps "/tmp/$name"
    installed=$(in_root rpm -ql dormouse)
    uninstall() { quietly in_root rpm --erase dormouse; }
    ;;
*) fail "neither a .deb nor an .rpm" ;;
esac
rm "$root/tmp/$name"
for file in usr/bin/dormouse usr/bin/dormouse-window usr/share/applications/im.dormouse.Dormouse.desktop usr/share/icons/hicolor/scalable/apps/im.dormouse.Dormouse.svg; do
    [ -e "$root/$file" ] || fail "has not brought /$file"
    echo "$installed" | grep -qx "/$file" || fail "does not know of its own /$file"
done

# On a display of its own; the window is found by its name and must show more than one colour.
number=$(mktemp)
Xvfb -displayfd 3 -screen 0 1280x800x24 -nolisten tcp 3> "$number" > /dev/null 2>&1 &
display=$!
waited=0
until [ -s "$number" ]; do
    waited=$((waited + 1))
    [ "$waited" -lt 100 ] || fail "no display starts"
    sleep 0.1
done
DISPLAY=:$(cat "$number")
export DISPLAY
rm "$number"
mkdir -p "$root/tmp/life" "$root/tmp/.X11-unix"
# Nothing of this machine's session: no bus, no keyring, no folders.
chroot "$root" /usr/bin/env -i DISPLAY="$DISPLAY" HOME=/tmp/life DORMOUSE_HOME=/tmp/life/dormouse PATH=/usr/bin:/bin LC_ALL=C.UTF-8 \
    DORMOUSE_LANGUAGE=en GDK_BACKEND=x11 NO_AT_BRIDGE=1 dormouse > "$folder/started.log" 2>&1 &
app=$!
waited=0
until window=$(xdotool search --onlyvisible --name '^Dormouse$' 2>/dev/null | head -n 1) && [ -n "$window" ] &&
    colours=$(import -window root png:- | identify -format '%k' -) && [ "$colours" -gt 16 ]; do
    waited=$((waited + 1))
    kill -0 "$app" 2>/dev/null || fail "ended at once: $(tail -n 5 "$folder/started.log")"
    [ "$waited" -lt 60 ] || fail "shows no window after a minute: $(tail -n 5 "$folder/started.log")"
    sleep 1
done
import -window root "$folder/${name##*.}.png"
kill -TERM "$app"
waited=0
while kill -0 "$app" 2>/dev/null; do
    waited=$((waited + 1))
    [ "$waited" -lt 100 ] || fail "does not end when it is asked to"
    sleep 0.1
done
wait "$app" || fail "ended with an error: $(tail -n 5 "$folder/started.log")"
app=
rm -rf "$root/tmp/life"

uninstall
left=$(find "$root" -xdev \( -path "$root/proc" -o -path "$root/dev" \) -prune -o -iname '*dormouse*' -print)
[ -z "$left" ] || fail "leaves behind: $left"
echo "$name: installed, started ($(printf '%s' "$colours") colours in its window), ended, removed without leftovers."
