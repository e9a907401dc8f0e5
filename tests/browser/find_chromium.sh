#!/bin/sh
# Prints the path of a Chromium for the browser tests. Where there is none it is installed with apt, if that is
# allowed here; else a sentence says what to do, and with CI=true this fails. The headless shell, the same browser
# without its own windows, comes first: a new context takes it a quarter of the time, and CI installs it beside another.
names="chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable chrome"

find_it() {
    for name in $names; do
        command -v "$name" && return 0
    done
    return 1
}

if command -v chromium-headless-shell || { [ "$CI" != true ] && find_it; }; then
    exit 0
fi

if command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then
        apt_get="apt-get"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        apt_get="sudo -n apt-get"
    fi
fi

if [ -n "$apt_get" ]; then
    echo "No headless chromium here; installing it with apt." >&2
    $apt_get update -qq -o Acquire::http::Timeout=20 -o Acquire::Retries=0 >&2 && {
        $apt_get install -y -qq --no-install-recommends chromium-headless-shell >&2 ||
            find_it || $apt_get install -y -qq --no-install-recommends chromium >&2
    }
fi

find_it && exit 0

echo "No chromium was found and it could not be installed here: the browser tests will be skipped." >&2
echo "Install one (Debian: apt-get install chromium) and run this again." >&2
[ "$CI" = true ] && exit 1
exit 0
