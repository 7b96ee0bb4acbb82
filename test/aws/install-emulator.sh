#!/bin/sh
# Puts an emulator of AWS's services (moto) into a folder of its own, for tests: written by others from AWS's
# documents, it contradicts where our own fake is wrong. Debian's unstable release has it with all it needs,
# Python and the C library included; they are unpacked below one folder and started with the dynamic loader
# found there.
#
# Changes nothing on the system and needs no root (except to install missing tools, if it is root). Needs apt:
# a Debian or a system derived from it. Packages are verified with Debian's keys. Can be repeated and
# interrupted.
#
#   LEASEHOLD_AWS_EMULATOR_ROOT  where to; default ${XDG_CACHE_HOME:-$HOME/.cache}/leasehold/aws-emulator-root
#   LEASEHOLD_DEBIAN_MIRROR      where from; default the Debian mirror that apt uses here, else deb.debian.org
set -eu

script=install-emulator
product=moto
instead="put moto's own moto_server in the PATH"
root=${LEASEHOLD_AWS_EMULATOR_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/leasehold/aws-emulator-root}

installed() {
  [ -x "$root/usr/bin/python3" ] && [ -e "$root/usr/lib/python3/dist-packages/moto/server.py" ]
}

. "$(dirname "$0")/../debian-unstable.sh"
begin
# What a server of moto needs beyond the package is only suggested by it.
unpack python3-moto python3-flask python3-flask-cors python3-werkzeug python3-requests python3-yaml \
  python3-xmltodict
rm -rf "$tree/usr/sbin"

# The proof: it starts, and two services that the tests need answer. What Python compiled for that is kept, so
# that each later start takes 0.3 s rather than 1.8 s.
echo 'Starting it'
env -i PYTHONHOME="$tree/usr" "$loader" --library-path "$libraries" "$tree/usr/bin/python3" -s - <<'PYTHON'
import importlib.metadata
import signal
import urllib.request
from moto.server import ThreadedMotoServer

# Ends this process: the start would wait for ever for a server that failed.
signal.alarm(60)
server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)
server.start()
address = 'http://%s:%s/' % server.get_host_and_port()
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(service, body, headers):
    scope = 'AKIDEXAMPLE/20260101/us-east-1/%s/aws4_request' % service
    headers['Authorization'] = 'AWS4-HMAC-SHA256 Credential=%s, SignedHeaders=host, Signature=0' % scope
    asked = urllib.request.Request(address, body, headers)
    return direct.open(asked, timeout=30).read().decode()


json = {'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': 'secretsmanager.ListSecrets'}
assert 'SecretList' in ask('secretsmanager', b'{}', json)
form = {'Content-Type': 'application/x-www-form-urlencoded'}
assert 'ListMetricsResult' in ask('monitoring', b'Action=ListMetrics&Version=2010-08-01', form)
server.stop()
print('moto', importlib.metadata.version('moto'))
PYTHON

finish
