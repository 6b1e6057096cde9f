# Sourced by the scripts beside it: finds or fetches the right Node, installs the project's packages, builds the CLI.
# Every part says what it does before it does it and does nothing when it is done already.

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
node_version=24.21.0
npm_version=11.21.2
[ -n "${HOME:-}" ] || { HOME=$(unset HOME && echo ~) && export HOME; }
case "${XDG_CACHE_HOME:-}" in
  /*) cache="$XDG_CACHE_HOME/gbuild" ;;
  *) cache="$HOME/.cache/gbuild" ;;
esac

say() { printf '%s\n' "$*" >&2; }

# fail MESSAGE [WHAT TO TYPE] ...: one clear sentence and the way on; the exit code is 2, or $exit_code.
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  [ $# = 0 ] || printf '  try: %s\n' "$@" >&2
  exit "${exit_code:-2}"
}

# take_turn FD MESSAGE: locks an open file, saying so if that takes waiting; the kernel lets go when this process ends.
take_turn() {
  command -v flock >/dev/null 2>&1 || return 0
  flock --nonblock "$1" || { say "$2" && flock "$1"; }
}

# alone PATH COMMAND ...: runs a command while nobody else does so with that path.
alone() (
  exec 9<"$1"
  shift
  take_turn 9 'Waiting for another gbuild that is setting this up'
  "$@"
)

# node_is_at_least MAJOR MINOR: of the node on PATH
node_is_at_least() {
  command -v node >/dev/null 2>&1 || return 1
  node -e "const [a, b] = process.versions.node.split('.').map(Number); process.exit(a > $1 || (a === $1 && b >= $2) ? 0 : 1)"
}

# npm that trusts what this machine trusts: Node looks into the system's store only where it is told to.
trusting_npm() {
  local bundle
  for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem; do
    [ -z "${NODE_EXTRA_CA_CERTS:-}" ] && [ -r "$bundle" ] && local -x NODE_EXTRA_CA_CERTS="$bundle"
  done
  npm "$@" --no-audit --no-fund --no-update-notifier --loglevel=error >&2
}

# ensure_node MAJOR MINOR: puts a Node of at least that version first on PATH, fetching one with npm if need be.
ensure_node() {
  node_is_at_least "$1" "$2" && return
  local os arch home
  os=$(uname -s | tr '[:upper:]' '[:lower:]')
  case "$(uname -m)" in
    x86_64 | amd64) arch=x64 ;;
    arm64 | aarch64) arch=arm64 ;;
    *) fail "there is no Node $node_version package for $(uname -m)" 'install Node 24 yourself and run this again' ;;
  esac
  home="$cache/node/$node_version-npm-$npm_version"
  if [ ! -d "$home" ]; then
    command -v npm >/dev/null 2>&1 && command -v node >/dev/null 2>&1 ||
      fail "neither Node $1.$2 or later, nor an older one with npm to fetch it, is on this machine" \
        'sudo apt-get install nodejs npm' 'or install Node 24 in your usual way'
    mkdir -p "$cache/node" 2>/dev/null && [ -w "$cache/node" ] || fail "the folder for downloads cannot be made: $cache" 'XDG_CACHE_HOME=/tmp/cache bin/quickstart'
    alone "$cache/node" fetch_node "$home" "node-$os-$arch"
  fi
  PATH="$home/node_modules/.bin:$PATH"
  export PATH
  hash -r
  node_is_at_least "$1" "$2" || fail "the fetched Node does not start on this machine: $home" \
    "rm -r '$home'   # then run this again" 'or install Node 24 in your usual way'
}

# With an npm of its own: a distribution's npm may need what only the distribution's Node has. Whole or not there at all.
fetch_node() {
  local home="$1" package="$2"
  [ ! -d "$home" ] || return 0
  say "Fetching Node $node_version into $home ($(node --version) is too old)"
  rm -rf "$home.part"
  mkdir "$home.part"
  trusting_npm install --prefix "$home.part" --no-save --no-package-lock "$package@$node_version" "npm@$npm_version" ||
    fail "Node $node_version could not be fetched; npm's message is above" 'npm ping' 'npm config get registry'
  mv "$home.part" "$home"
}

packages_are_installed() { cmp -s "$root/node_modules/.installed" "$root/package-lock.json"; }

# ensure_packages: node_modules as package-lock.json says
ensure_packages() {
  packages_are_installed || alone "$root/package-lock.json" install_packages
}

# The stamp is written last, and npm ci removes it first: an interrupted npm ci is done again.
install_packages() {
  ! packages_are_installed || return 0
  [ -w "$root" ] || fail "the packages of this project cannot be installed: $root is read-only" \
    "git clone '$root' ~/gbuild && ~/gbuild/bin/${0##*/}"
  command -v npm >/dev/null 2>&1 || fail 'npm, which installs the packages of this project, is not on this machine' \
    'sudo apt-get install npm'
  say "Installing the project's packages (npm ci)"
  (cd "$root" && trusting_npm ci) || fail 'npm ci failed; its message is above' "cd '$root' && npm ci"
  cp "$root/package-lock.json" "$root/node_modules/.installed"
}

is_built() {
  [ -f "$root/oclif.manifest.json" ] && [ -z "$(find "$root/src" "$root/scripts/build.mjs" "$root/package.json" \
    "$root/package-lock.json" -newer "$root/oclif.manifest.json" -print -quit)" ]
}

# ensure_built: dist/ newer than every source
ensure_built() {
  is_built && return
  ensure_packages
  alone "$root/package-lock.json" build
}

build() {
  ! is_built || return 0
  say 'Building the CLI'
  (cd "$root" && node scripts/build.mjs >&2) || fail 'the build failed; its message is above' "cd '$root' && npm run build"
}
