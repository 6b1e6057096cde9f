# Sourced by quickstart: finds a container engine for gbuild; where there is none, starts an installed one or installs
# one, each after saying so. An engine that the environment or docker's configuration names is used or refused.

engine_log=/var/log/dockerd.log
socket=/var/run/docker.sock
apt_log="$work/apt.log"

# ask_engine: the lines that export the engine gbuild chooses; its exit code says whether that one answers.
ask_engine() { gbuild doctor engine --shell; }

# begin_engine: where an engine surely has to be installed, that may begin while other things are fetched.
begin_engine() {
  installing=
  [ "$(id -u)" = 0 ] && is_debian && ! command -v dockerd && ! command -v podman && [ ! -S "$socket" ] &&
    [ -z "${DOCKER_HOST:-}${DOCKER_CONTEXT:-}" ] && [ ! -e "${DOCKER_CONFIG:-$HOME/.docker}/config.json" ] || return 0
  say 'No container engine here: installing docker.io (apt-get install docker.io)'
  apt_install_engine &
  installing=$!
} >/dev/null

# ensure_engine: one that answers, exported as DOCKER_HOST and its like for every client of it
ensure_engine() {
  local chosen code=0
  exit_code=3
  chosen=$(ask_engine 2>"$work/engine.log") || code=$?
  if [ "$code" != 0 ]; then
    case "$code $chosen" in
      '3 ' | "3 export DOCKER_HOST='unix://$socket'"*) refuse_forbidden_socket ;;
      *) cat "$work/engine.log" >&2; exit "$code" ;;
    esac
    command -v dockerd >/dev/null 2>&1 || install_engine
    chosen=$(ask_engine 2>/dev/null) || start_engine
  fi
  eval "$chosen"
  unset exit_code
}

refuse_forbidden_socket() {
  [ ! -S "$socket" ] || [ -w "$socket" ] || fail "you may not use the container engine at $socket" \
    'sudo usermod -aG docker "$USER"   # then log in again'
}

is_debian() {
  case " $(. /etc/os-release 2>/dev/null && echo "${ID:-} ${ID_LIKE:-}") " in
    *' debian '* | *' ubuntu '*) ;;
    *) return 1 ;;
  esac
}

install_engine() {
  is_debian || fail 'no container engine was found, and this is neither Debian nor Ubuntu' \
    'install Docker or podman in your usual way, start it, then run bin/quickstart again'
  [ "$(id -u)" = 0 ] || fail 'no container engine was found, and only root can install one' \
    'sudo apt-get install docker.io && sudo usermod -aG docker "$USER"   # then log in again' \
    'or set DOCKER_HOST to an engine you may use'
  if [ -z "$installing" ]; then
    say 'No container engine here: installing docker.io (apt-get install docker.io)'
    apt_install_engine &
    installing=$!
  fi
  wait "$installing" || fail "docker.io could not be installed; the end of $apt_log:
$(tail -n 5 "$apt_log")" 'apt-get update && apt-get install docker.io'
}

# Waits for an upgrade that a fresh machine may be at, instead of failing.
apt_install_engine() {
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq &&
    apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 docker.io; } >"$apt_log" 2>&1 </dev/null 8>&-
}

start_engine() {
  [ "$(id -u)" = 0 ] || fail 'a container engine is installed but not running, and only root can start it' \
    'sudo systemctl start docker' 'sudo service docker start   # where there is no systemd'
  if [ -d /run/systemd/system ]; then
    say 'Starting the container engine (systemctl start docker)'
    systemctl start docker || fail 'the container engine does not start' 'journalctl -u docker' 'systemctl status docker'
    wait_for_engine || fail 'the container engine was started, but does not answer' 'journalctl -u docker'
  else
    say "Starting the container engine (dockerd; it stays up; stop it with: kill \$(cat /var/run/docker.pid))"
    setsid nohup dockerd >"$engine_log" 2>&1 </dev/null 8>&- &
    wait_for_engine $! || fail "dockerd was started, but does not answer; the end of $engine_log:
$(tail -n 5 "$engine_log")" "less $engine_log"
  fi
}

# wait_for_engine [PID]: until one answers, for half a minute, or a little longer than that process lives: the package may
# have started an engine of its own, beside which ours ends.
wait_for_engine() {
  local tries
  for tries in $(seq 60); do
    ! chosen=$(ask_engine 2>/dev/null) || return 0
    [ $# = 0 ] || kill -0 "$1" 2>/dev/null || break
    sleep 0.5
  done
  sleep 2
  chosen=$(ask_engine 2>/dev/null)
}
