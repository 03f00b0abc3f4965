# Shared by the scripts beside it.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
  say "$*"
  exit 1
}

# A client with BuildKit: newer ones need the plugin `buildx` for it, Debian 12's has it built in.
if [ -z "${DOCKER:-}" ]; then
  DOCKER=docker
  if ! docker buildx version >/dev/null 2>&1 && [ -x /usr/bin/docker ]; then DOCKER=/usr/bin/docker; fi
fi
export DOCKER

# The image that the Dockerfile or docker-compose.yml asks for under a short name: the first default that is found.
image_of() {
  local argument
  argument=$(tr '[:lower:]' '[:upper:]' <<<"$1")_IMAGE
  grep -hoP "(?:ARG ${argument}=|\\\$\{${argument}:-)\K[^}\s]+" "$ROOT/Dockerfile" "$ROOT/docker-compose.yml" | head -n 1
}
