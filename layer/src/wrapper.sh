#!/bin/sh
# AWS_LAMBDA_EXEC_WRAPPER=/opt/leasehold: Lambda calls this with the runtime's command line, and it becomes that, with
# the preload added. Whatever is missing, the runtime starts as it would have without.
#
# LEASEHOLD_NEXT_WRAPPER: another tool's wrapper, called in the same way, since Lambda has a place for one only.

preload=/opt/nodejs/node_modules/@leasehold/attach/dist/preload.mjs
next=${LEASEHOLD_NEXT_WRAPPER-}

say() {
  echo "leasehold: $1" >&2
}

# Says nothing of the language in an image that is not Lambda's own.
case ${AWS_EXECUTION_ENV-} in
  AWS_Lambda_nodejs1?.x | AWS_Lambda_nodejs20.x)
    say 'not attached: Node.js 22 or newer is needed'
    preload= ;;
  AWS_Lambda_nodejs* | AWS_Lambda_Image | '') ;;
  *)
    say "not attached: this is not Node.js but $AWS_EXECUTION_ENV"
    preload= ;;
esac
if [ -n "$preload" ] && [ ! -r "$preload" ]; then
  say "not attached: $preload is not there"
  preload=
fi

if [ -n "$preload" ]; then
  case ${1-} in
    node | */node)
      # On the command line other programs that the function starts are spared.
      node=$1
      shift
      set -- "$node" --import "file://$preload" "$@" ;;
    *)
      NODE_OPTIONS="${NODE_OPTIONS-} --import=file://$preload"
      export NODE_OPTIONS ;;
  esac
fi

# One that calls us in its turn is not called again, for ever.
unset LEASEHOLD_NEXT_WRAPPER
if [ -n "$next" ] && [ "$next" != "$0" ]; then
  if [ -f "$next" ] && [ -x "$next" ]; then exec "$next" "$@"; fi
  say "LEASEHOLD_NEXT_WRAPPER: $next is not an executable file, so it is left out"
fi
exec "$@"
