# Shared by the scripts beside it: `. "$(dirname "$0")/lib.sh"`. Leaves the shell in the root of the repository.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
  say "$*"
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# Runs a command as root: directly, or through sudo; without either it says what to type.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    die "this needs root, and there is no sudo. As root, run: $*"
  fi
}

# Installs Debian packages without their recommendations.
apt_install() {
  have apt-get || die "install these with your package manager (this script knows Debian's only): $*"
  say "installing Debian packages: $*"
  [ -n "${apt_updated:-}" ] || as_root apt-get -qq -o Acquire::Retries=3 update
  apt_updated=yes
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -y -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 install --no-install-recommends "$@" >/dev/null
}

# One hash over the names and contents of the files under the given paths, dependencies and build results left out.
hash_of() {
  find "$@" \( -name node_modules -o -name dist -o -name test-results \) -prune -o -type f -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}

# Installs the npm packages of a folder when its lock file is not the one that was installed last.
npm_packages() {
  local folder=$1 stamp=$1/node_modules/.anwen-lock-hash lock
  lock=$(sha256sum <"$folder/package-lock.json")
  if [ "$(cat "$stamp" 2>/dev/null)" != "$lock" ]; then
    say "installing the npm packages of $folder"
    PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm --prefix "$folder" ci --no-audit --no-fund --loglevel=error
    printf '%s\n' "$lock" >"$stamp"
  fi
}
