# Sourced by the scripts beside it: finds or fetches the right Node, installs the project's packages, builds the CLI.
# Every part says what it does before it does it and does nothing when it is done already.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
node_version=24.21.0
cache="${XDG_CACHE_HOME:-$HOME/.cache}/gbuild"

say() { printf '%s\n' "$*" >&2; }

# fail MESSAGE [WHAT TO TYPE] ...: one clear sentence and the way on.
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '  try: %s\n' "$line" >&2; done
  exit "${exit_code:-2}"
}

# node_is_at_least MAJOR MINOR: of the node on PATH
node_is_at_least() {
  command -v node >/dev/null 2>&1 || return 1
  node -e "const [a, b] = process.versions.node.split('.').map(Number); process.exit(a > $1 || (a === $1 && b >= $2) ? 0 : 1)"
}

# ensure_node MAJOR MINOR: puts a Node of at least that version first on PATH, fetching one with npm if need be.
ensure_node() {
  node_is_at_least "$1" "$2" && return
  local os arch home
  os=$(uname -s | tr '[:upper:]' '[:lower:]')
  case "$(uname -m)" in
    x86_64 | amd64) arch=x64 ;;
    arm64 | aarch64) arch=arm64 ;;
    *) fail "there is no Node $node_version package for $(uname -m)" "install Node 24 yourself and run this again" ;;
  esac
  home="$cache/node/$node_version"
  if [ ! -x "$home/node_modules/node-$os-$arch/bin/node" ]; then
    command -v npm >/dev/null 2>&1 ||
      fail 'neither Node 22.13 or later nor npm is on this machine' 'apt-get install nodejs npm' 'or install Node 24 in your usual way'
    say "Fetching Node $node_version into $home ($(node --version 2>/dev/null || echo none) is too old)"
    mkdir -p "$home"
    npm install --prefix "$home" --no-save --no-package-lock --no-audit --no-fund --loglevel=error \
      "node-$os-$arch@$node_version" >&2 || fail "Node $node_version could not be fetched with npm" 'npm ping'
  fi
  PATH="$home/node_modules/node-$os-$arch/bin:$PATH"
  export PATH
  node_is_at_least "$1" "$2" || fail "the fetched Node does not start: $home" "rm -r $home"
}

# ensure_packages: node_modules as package-lock.json says
ensure_packages() {
  local stamp="$root/node_modules/.installed"
  [ -f "$stamp" ] && cmp -s "$stamp" "$root/package-lock.json" && return
  say "Installing the project's packages (npm ci)"
  (cd "$root" && npm ci --no-audit --no-fund --loglevel=error >&2) || fail 'npm ci failed; its message is above' "cd $root && npm ci"
  cp "$root/package-lock.json" "$stamp"
}

# ensure_built: dist/ newer than every source
ensure_built() {
  if [ -f "$root/oclif.manifest.json" ] &&
    [ -z "$(find "$root/src" "$root/scripts/build.mjs" "$root/package.json" -newer "$root/oclif.manifest.json" -print -quit)" ]; then
    return
  fi
  say 'Building the CLI'
  (cd "$root" && node scripts/build.mjs >&2) || fail 'the build failed; its message is above' "cd $root && npm run build"
}
