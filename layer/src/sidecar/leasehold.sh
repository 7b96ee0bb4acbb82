#!/bin/sh
# Lambda starts this file. It speaks the Extensions API itself, so that a sidecar that was not asked for costs a shell
# that waits, and one that fails does not end the function: Lambda ends a function whose extension ends.

# Bash can open a socket, other shells can't.
if [ -z "${BASH_VERSION:-}" ] && command -v bash >/dev/null 2>&1; then exec bash "$0"; fi

here=${0%/*}
program=$here/../leasehold-sidecar.cjs

case ${LEASEHOLD_SIDECAR:-} in
  on | true | 1) wanted=1 events='["SHUTDOWN"]' ;;
  '' | off | false | 0) wanted= events='[]' ;;
  *)
    wanted= events='[]'
    echo 'leasehold: LEASEHOLD_SIDECAR must be on or off; there is no sidecar' >&2
    ;;
esac

# Starts the sidecar's program. The function's own flags and preloads are not meant for it; its packages and the
# runtime's, the AWS SDK among them, are found by path.
start() {
  unset NODE_OPTIONS
  folders=/var/task/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime
  export NODE_PATH="${NODE_PATH:+$NODE_PATH:}$folders"
  PATH=$PATH:/var/lang/bin
  $1 node --max-semi-space-size=1 "$program" "$2"
}

# The program speaks with Lambda itself.
alone() {
  [ -n "$wanted" ] && start exec alone
  start exec idle
}

[ -n "${BASH_VERSION:-}" ] || alone

set +o posix
trap '' PIPE
host=${AWS_LAMBDA_RUNTIME_API%:*}
port=${AWS_LAMBDA_RUNTIME_API##*:}
path=/2020-01-01/extension

# Sends what is in $1 and reads the answer: its status, the identifier in it, and its body.
ask() {
  status= body=
  { {
    printf '%s' "$1" >&3
    IFS=' ' read -r -u 3 _ status _ || return 1
    while IFS= read -r -u 3 line && line=${line%$'\r'} && [ -n "$line" ]; do
      case $line in
        [Ll]ambda-[Ee]xtension-[Ii]dentifier:*) id=${line#*:} id=${id# } ;;
      esac
    done
    IFS= read -r -d '' -t 1 -u 3 body
    [ "$status" = 200 ]
  } 3<>"/dev/tcp/$host/$port"; } 2>/dev/null
}

rn=$'\r\n'
register() {
  ask "POST $path/register HTTP/1.1${rn}Host: $host:$port${rn}Connection: close${rn}Lambda-Extension-Name: ${0##*/}\
${rn}Content-Type: application/json${rn}Content-Length: $((${#events} + 11))$rn$rn{\"events\":$events}"
}
next() {
  ask "GET $path/event/next HTTP/1.1${rn}Host: $host:$port${rn}Connection: close${rn}Lambda-Extension-Identifier: $id$rn$rn"
}

register || { sleep 0.1; register; } || {
  # Nobody answered: a bash that was built without sockets.
  [ -n "$status" ] || alone
  echo "leasehold: the sidecar could not register as an extension ($status)" >&2
  exit 1
}

if [ -n "$wanted" ]; then
  # Its standard input says when the environment ends, its standard output when it is ready.
  coproc SIDECAR {
    for _ in 1 2 3; do
      start '' supervised && exit
      echo 'leasehold: the sidecar ended, and the function goes on without' >&2
    done
  }
  sidecar=$SIDECAR_PID
  exec 4<&"${SIDECAR[0]}" 5>&"${SIDECAR[1]}"
  # Init goes on when it is ready, gone, or too slow.
  IFS= read -r -t 3 -u 4 _
fi

# What is told but SHUTDOWN, and what fails, is asked again: never the end of this process.
pause=0
until next && [[ $body == *'"SHUTDOWN"'* ]]; do
  pause=$((pause < 10 ? pause + 1 : 10))
  sleep "$pause"
done
if [ -n "$wanted" ]; then
  echo end 2>/dev/null >&5
  wait "$sidecar"
fi
exit 0
