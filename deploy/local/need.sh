#!/usr/bin/env bash
# Makes sure that a program of the system is there: installs it as root, and says in one line what to install otherwise.
#   need.sh venv PYTHON     python3 with venv and pip
#   need.sh servers         RabbitMQ, PostgreSQL, SoftHSM and promtool, for the tests
#   need.sh rabbitmq        RabbitMQ alone
#   need.sh npm             node and npm, which fetch the style of the operations page
#   need.sh chromium        the browser that the pages are tested in
#   need.sh web             both
set -euo pipefail

need() { # need PACKAGES...
  if [ "$(id -u)" -ne 0 ]; then
    echo "Missing: $*. Install with: sudo apt-get install $*" >&2
    exit 1
  fi
  echo "Installing $* ..."
  export DEBIAN_FRONTEND=noninteractive
  # policy-rc.d keeps the packages from starting servers of their own beside ours.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  apt-get update -q >/dev/null
  apt-get install -y -q --no-install-recommends "$@" >/dev/null
}

missing=()
case "$1" in
  venv)
    "$2" -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
    ;;
  servers | rabbitmq)
    [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || missing+=(rabbitmq-server)
    if [ "$1" = servers ]; then
      compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
      command -v setpriv >/dev/null || missing+=(util-linux)
      command -v softhsm2-util >/dev/null || missing+=(softhsm2)
      command -v promtool >/dev/null || missing+=(prometheus)
    fi
    ;;
  web | npm | chromium)
    if [ "$1" != chromium ]; then
      command -v node >/dev/null || missing+=(nodejs)
      command -v npm >/dev/null || missing+=(npm)
    fi
    [ "$1" = npm ] || [ -x /usr/bin/chromium ] || missing+=(chromium)
    ;;
  *)
    echo "need.sh: unknown need '$1'" >&2
    exit 2
    ;;
esac
[ "${#missing[@]}" -eq 0 ] || need "${missing[@]}"
